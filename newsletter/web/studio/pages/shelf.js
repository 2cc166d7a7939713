// Covers appear when they are drawn, and states when they are known.

const shelf = document.querySelector("main.shelf");
const EVERY = 1200; // milliseconds

function show(link, { cover, state }) {
  const frame = link.querySelector(".cover");
  const shown = frame.querySelector("img");
  if (cover && shown?.getAttribute("src") !== cover) {
    const picture = new Image(640, 800);
    picture.alt = "";
    picture.src = cover;
    picture.decode().then(() => { shown?.remove(); frame.append(picture); }, () => {});
  }
  const word = link.closest("li").querySelector(".stage");
  const words = state.charAt(0).toUpperCase() + state.slice(1);
  if (word.textContent !== words) word.textContent = words;
}

async function look() {
  try {
    const answer = await fetch("/-/shelf/covers");
    const { issues, is_drawing: isDrawing } = await answer.json();
    for (const link of document.querySelectorAll("[data-issue]")) {
      if (issues[link.dataset.issue]) show(link, issues[link.dataset.issue]);
    }
    shelf.dataset.drawing = isDrawing ? "yes" : "no";
    if (isDrawing) setTimeout(look, EVERY);
  } catch {
    // The studio was stopped. The page stays as it is.
  }
}

if (shelf.dataset.drawing === "yes") setTimeout(look, EVERY / 2);
