// The studio follows the files and its own switches without being loaded anew: it asks the server for the page as it
// now is, and puts in what has become different. Where the reader has scrolled to, and what has the focus, stays.

const PARTS = ["issues", "variants", "inbox", "text", "edge"];
const FRAMES = ["desktop", "phone"];
const status = document.getElementById("status");
const controls = document.getElementById("controls");
let asked = 0;
let stream = null;

async function refresh(query) {
  const number = ++asked;
  const answer = await fetch(location.pathname + query, { cache: "no-store" }).catch(() => null);
  if (!answer) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (number !== asked) return; // a later question has overtaken this one
  if (!answer.ok || !page.getElementById("desk")) {
    location.reload(); // the issue is gone
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

// A frame is replaced by one that has already loaded and scrolled, so that nothing flickers.
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
  stream.onopen = () => { status.textContent = "Follows your files"; status.className = ""; };
  stream.onmessage = (event) => { if (event.data !== document.body.dataset.revision) refresh(query()); };
  stream.onerror = () => {
    status.textContent = "The studio has stopped; start it again with newsletter preview";
    status.className = "stopped";
  };
}

function rest() {
  stream?.close();
  stream = null;
}

// A browser opens six connections to a server and no more: a page that nobody looks at gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
window.addEventListener("pagehide", rest);
window.addEventListener("pageshow", listen);

controls.addEventListener("change", () => refresh(query()));
controls.addEventListener("submit", (event) => event.preventDefault());

// A menu closes like any other: by Escape, and by turning to something else.
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

// A device wider than its place is shown smaller, never cut.
const fitting = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    target.style.setProperty("--fit", Math.min(1, contentRect.width / target.dataset.width));
  }
});
for (const screen of document.querySelectorAll(".screen")) fitting.observe(screen);
