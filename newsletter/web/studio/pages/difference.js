// The two emails scroll together: the blocks that both have stay beside each other.

const frames = [...document.querySelectorAll(".side iframe")];
const windowOf = (frame) => frame.contentWindow;
const led = new Map(); // where each email was scrolled to because the other was

/** Return where each block that both emails have begins, by its number, in the order of the email. */
function anchorsOf(frame) {
  const { document, scrollY } = windowOf(frame);
  return new Map([...document.querySelectorAll("[data-anchor]")].flatMap((block) => {
    const box = block.getBoundingClientRect();
    return box.height ? [[block.dataset.anchor, box.top + scrollY]] : [];
  }));
}

/** Return the place in one email that corresponds to a place in the other. */
function counterpart(from, to, y) {
  const ends = (frame) => windowOf(frame).document.documentElement.scrollHeight;
  const there = anchorsOf(to);
  let [before, after] = [[0, 0], [ends(from), ends(to)]];
  for (const [number, top] of anchorsOf(from)) {
    if (!there.has(number)) continue;
    if (top <= y && top >= before[0]) before = [top, there.get(number)];
    else if (top > y && top < after[0]) after = [top, there.get(number)];
  }
  const span = after[0] - before[0];
  return before[1] + (span > 0 ? ((y - before[0]) / span) * (after[1] - before[1]) : 0);
}

function follow(from) {
  const to = frames.find((frame) => frame !== from);
  if (!to || Math.abs(windowOf(from).scrollY - (led.get(from) ?? -9)) < 2) return; // it has only followed the other
  windowOf(to).scrollTo(0, Math.round(counterpart(from, to, windowOf(from).scrollY)));
  led.set(to, windowOf(to).scrollY);
}

function attach(frame) {
  windowOf(frame).addEventListener("scroll", () => requestAnimationFrame(() => follow(frame)), { passive: true });
}

for (const frame of frames) {
  frame.addEventListener("load", () => attach(frame));
  if (windowOf(frame).document.readyState === "complete") attach(frame);
}

// A link to a block scrolls the frame without loading it again.
document.querySelector(".told")?.addEventListener("click", (event) => {
  const link = event.target.closest("a[target]");
  const frame = link && frames.find((each) => each.name === link.target);
  const block = frame && windowOf(frame).document.getElementById(new URL(link.href).hash.slice(1));
  if (!block) return;
  event.preventDefault();
  const top = block.getBoundingClientRect().top + windowOf(frame).scrollY;
  led.delete(frame);
  windowOf(frame).scrollTo(0, Math.max(0, top - 80));
  if (frame.getBoundingClientRect().bottom < 0 || frame.getBoundingClientRect().top > innerHeight) frame.scrollIntoView({ block: "start" });
});

const form = document.querySelector("#against");
const other = form?.querySelector(".other");
const choose = () => { if (other) other.hidden = form.elements.against.value !== "other"; };
form?.addEventListener("change", choose);
choose();
