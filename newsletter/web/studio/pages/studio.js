// The studio follows the files and its own switches without reloading: it asks the server for the page as it is now,
// and puts in what has changed. The scroll position and the focus stay.

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
  if (number !== asked) return; // a later question has overtaken this one
  if (!answer.ok || !page.getElementById("desk")) {
    location.reload(); // the issue is gone, or the studio was restarted and does not know this page's token
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

// A browser opens at most six connections to a server, so a hidden page gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
window.addEventListener("pagehide", rest);
window.addEventListener("pageshow", listen);

controls.addEventListener("change", () => refresh(query()));
controls.addEventListener("submit", (event) => event.preventDefault());

// The address goes in the body of a POST; the answer leads to a URL with a random key in its place.
lookup.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh("reader" + query(), { method: "POST", body: new URLSearchParams(new FormData(lookup)) });
});

// A menu closes on Escape, and on a click elsewhere.
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

// A device that is too wide for its place is scaled down, never cut.
const fitting = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    target.style.setProperty("--fit", Math.min(1, contentRect.width / target.dataset.width));
  }
});
for (const screen of document.querySelectorAll(".screen")) fitting.observe(screen);
