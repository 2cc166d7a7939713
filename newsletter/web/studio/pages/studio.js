// When a file or a control changes, the script fetches the current page from the server and replaces only the parts that
// differ. The page is not reloaded, so the scroll position and the focus are kept.

const PARTS = ["issues", "lookup", "readers", "variants", "inbox", "text", "edge"];
const FRAMES = ["desktop", "phone"];
const status = document.getElementById("status");
const controls = document.getElementById("controls");
const lookup = document.getElementById("lookup");
let asked = 0;
let stream = null;

async function refresh(address, request = {}) {
  const number = ++asked;
  const answer = await fetch(location.pathname + address, { cache: "no-store", ...request }).catch(() => null);
  if (!answer) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (number !== asked) return; // a later request was made in the meantime
  if (!answer.ok || !page.getElementById("desk")) {
    location.reload(); // the issue no longer exists, or the studio was restarted and this page's token is invalid
    return;
  }
  show(page);
}

function show(page) {
  document.title = page.title;
  document.body.className = page.body.className;
  Object.assign(document.body.dataset, page.body.dataset);
  for (const name of PARTS) replace(document.getElementById(name), page.getElementById(name));
  for (const name of ["mail", "empty"]) document.getElementById(name).hidden = page.getElementById(name).hidden;
  document.getElementById("desk").dataset.show = page.getElementById("desk").dataset.show;
  for (const name of FRAMES) turn(document.getElementById(name), page.getElementById(name).getAttribute("src"));
  history.replaceState(null, "", page.body.dataset.address === "?" ? location.pathname : page.body.dataset.address);
}

function replace(old, next) {
  if (old.innerHTML === next.innerHTML) return;
  const top = old.scrollTop;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...next.childNodes);
  old.scrollTop = top;
  if (focused) document.getElementById(focused)?.focus();
}

// The new frame is loaded and scrolled before it replaces the old one, so that nothing flickers.
function turn(frame, source) {
  if (frame.getAttribute("src") === source) return;
  for (const other of frame.parentElement.querySelectorAll("iframe.arriving")) other.remove();
  if (source === null || frame.getAttribute("src") === null || frame.offsetParent === null) {
    if (source !== null) frame.src = source;
    return;
  }
  const next = frame.cloneNode();
  next.removeAttribute("id");
  next.removeAttribute("loading");
  next.className = "arriving";
  next.src = source;
  next.addEventListener("load", () => {
    const { scrollX, scrollY } = frame.contentWindow;
    next.contentWindow.scrollTo(scrollX, scrollY);
    next.id = frame.id;
    next.className = "";
    frame.remove();
  }, { once: true });
  frame.after(next);
}

function query() {
  return "?" + new URLSearchParams(new FormData(controls));
}

function listen() {
  if (stream) return;
  stream = new EventSource("events");
  stream.onopen = () => { status.textContent = "Updates when you save"; status.className = ""; };
  stream.onmessage = (event) => { if (event.data !== document.body.dataset.revision) refresh(query()); };
  stream.onerror = () => {
    status.textContent = "The studio has stopped; to start it again, run newsletter preview";
    status.className = "stopped";
  };
}

function rest() {
  stream?.close();
  stream = null;
}

// A browser opens at most six connections to one server, so a hidden page closes its connection.
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
window.addEventListener("pagehide", rest);
window.addEventListener("pageshow", listen);

controls.addEventListener("change", () => refresh(query()));
controls.addEventListener("submit", (event) => event.preventDefault());

// The address is sent in the body of a POST request. The response redirects to a URL with a random key instead.
lookup.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh("reader" + query(), { method: "POST", body: new URLSearchParams(new FormData(lookup)) });
});

// Escape or a click anywhere else closes the menu.
document.addEventListener("click", (event) => closeMenu(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const summary = document.querySelector(".menu[open] summary");
  closeMenu(null);
  summary?.focus();
});

function closeMenu(kept) {
  const menu = document.querySelector(".menu[open]");
  if (menu && !menu.contains(kept)) menu.open = false;
}

// A click on a block of the email is told to the rest of the page.
document.addEventListener("load", (event) => {
  if (!(event.target instanceof HTMLIFrameElement)) return;
  event.target.contentDocument.addEventListener("click", (click) => {
    const block = click.target.closest?.("[data-place]");
    if (!block) return;
    click.preventDefault();
    document.dispatchEvent(new CustomEvent("block", { detail: { place: block.dataset.place } }));
  });
}, true);

// A device that is too wide for its column is scaled down, never cropped.
const fitting = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    target.style.setProperty("--fit", Math.min(1, contentRect.width / target.dataset.width));
  }
});
for (const screen of document.querySelectorAll(".screen")) fitting.observe(screen);
