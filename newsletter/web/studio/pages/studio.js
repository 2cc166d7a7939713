// When a file or a control changes, the script fetches the current page and email from the server and replaces only the
// parts that differ. The page is not reloaded, so the scroll position and the focus are kept.

import { reveal, revealChanges, showEmail } from "./frames.js";

const PARTS = ["issues", "whom", "made-up", "trouble", "inbox", "text", "source", "rows", "problems", "edits", "size", "images"];
const REST_MS = 800; // after an edit, before the links and the road are asked for
const POLL_MS = 2000; // while links are being checked
const status = document.querySelector("#status [role=status]");
const changes = document.getElementById("changes");
const controls = document.getElementById("controls");
const search = document.getElementById("search");
const road = document.getElementById("road");
let asked = 0;
let stream = null;
let resting = 0;

// After an edit, the email is shown before the rest of the page, which waits for the checks. In all other cases the page
// comes first, because it decides which frames are seen.
async function refresh(address, isEdit = false) {
  const number = ++asked;
  const isEmailFirst = isEdit && !document.getElementById("mail").hidden;
  const email = get("mail.html" + address), early = isEmailFirst ? null : get(address);
  if (isEmailFirst) showIn(await email, address, number, isEdit);
  if (number !== asked) return; // a later request was made in the meantime
  const answer = await (early ?? get(address));
  if (number !== asked || !answer) return; // or the studio has stopped
  const page = new DOMParser().parseFromString(answer.text, "text/html");
  if (!answer.ok || !page.getElementById("desk")) {
    location.reload(); // the issue no longer exists, or the studio was restarted and this page's token is invalid
    return;
  }
  show(page, isEdit);
  if (!isEmailFirst) showIn(await email, address, number, isEdit);
  clearTimeout(resting);
  resting = setTimeout(completeEdges, REST_MS);
}

// Shows the fetched email in the frames.
function showIn(email, address, number, isEdit) {
  if (number !== asked) return;
  const count = email?.ok ? showEmail(email.text, "mail.html" + address, isEdit) : 0;
  document.dispatchEvent(new CustomEvent("email")); // the frames show the current email
  if (!isEdit) return;
  changes.hidden = count === 0;
  changes.textContent = count === 1 ? "1 block changed" : `${count} blocks changed`;
}

async function get(address) {
  const answer = await fetch(address.startsWith("?") ? location.pathname + address : address, { cache: "no-store" }).catch(() => null);
  return answer && { ok: answer.ok, text: await answer.text() };
}

function show(page, isEdit) {
  document.title = page.title;
  document.body.className = page.body.className;
  Object.assign(document.body.dataset, page.body.dataset);
  const before = document.getElementById("text").textContent;
  for (const name of PARTS) replace(document.getElementById(name), page.getElementById(name));
  if (isEdit) markLines(document.getElementById("text"), before);
  for (const name of ["mail", "empty"]) document.getElementById(name).hidden = page.getElementById(name).hidden;
  Object.assign(document.getElementById("desk").dataset, page.getElementById("desk").dataset);
  for (const [name, attribute] of [["message", "href"], ["search", "action"]]) {
    document.getElementById(name).setAttribute(attribute, page.getElementById(name).getAttribute(attribute));
  }
  history.replaceState(null, "", page.body.dataset.address === "?" ? location.pathname : page.body.dataset.address);
}

function replace(old, next) {
  if (!next || old.innerHTML === next.innerHTML) return;
  const { scrollTop } = old;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const opened = [...old.querySelectorAll("details")].map((each) => each.open);
  old.replaceChildren(...next.childNodes);
  [...old.querySelectorAll("details")].forEach((each, at) => { each.open = opened[at] ?? each.open; });
  old.scrollTop = scrollTop;
  if (focused) again(old, focused)?.focus();
}

// The element that took the place of another one: it has the same id, or else the same text.
function again(part, focused) {
  if (focused.id) return document.getElementById(focused.id);
  return [...part.querySelectorAll(focused.tagName)].find((each) => each.textContent === focused.textContent);
}

// Marks the lines of the plain text between the first and the last one that differ.
function markLines(part, before) {
  const old = before.split("\n"), lines = part.textContent.split("\n");
  let start = 0, end = 0;
  while (start < Math.min(old.length, lines.length) && old[start] === lines[start]) start += 1;
  while (end < Math.min(old.length, lines.length) - start && old.at(-1 - end) === lines.at(-1 - end)) end += 1;
  if (start + end >= lines.length) return;
  const from = lines.slice(0, start).join("\n").length + (start ? 1 : 0);
  const to = from + lines.slice(start, lines.length - end).join("\n").length;
  const range = document.createRange();
  range.setStart(...at(part, from));
  range.setEnd(...at(part, to));
  const mark = document.createElement("mark");
  mark.className = "changed";
  mark.append(range.extractContents());
  range.insertNode(mark);
}

function at(part, offset) {
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  let left = offset, last = part;
  while (texts.nextNode()) {
    last = texts.currentNode;
    if (left <= last.length) return [last, left];
    left -= last.length;
  }
  return [last, last.length ?? 0];
}

function query() {
  return "?" + new URLSearchParams(new FormData(controls));
}

function listen() {
  if (stream) return;
  stream = new EventSource("events");
  stream.onopen = () => { status.textContent = "Updates when you save"; status.className = ""; };
  stream.addEventListener("email", () => refresh(query(), true));
  stream.onmessage = (event) => { if (event.data !== document.body.dataset.revision) refresh(query(), true); };
  stream.onerror = () => {
    status.textContent = "The studio has stopped; to start it again, run newsletter preview";
    status.className = "stopped";
  };
}

function rest() {
  stream?.close();
  stream = null;
}

// Parts that take longer than a save may take: the road to the inbox, the reviewers' comments, and the status of the links.
async function completeEdges() {
  const { address } = document.body.dataset, isEmpty = document.getElementById("mail").hidden;
  const [stations, remarks, links] = await Promise.all([get("road"), get("remarks"), isEmpty ? null : get("links" + address)]);
  if (remarks?.ok) {
    const said = new DOMParser().parseFromString(remarks.text, "text/html").getElementById("remarks");
    document.getElementById("remarks").hidden = !said.querySelector(".remarks");
    replace(document.getElementById("remarks"), said);
  }
  if (stations?.ok && !road.contains(document.activeElement)) {
    road.hidden = false;
    const next = new DOMParser().parseFromString(stations.text, "text/html");
    replace(document.getElementById("stations"), next.getElementById("stations") ?? next.body);
  }
  if (!links?.ok) return;
  const found = new DOMParser().parseFromString(links.text, "text/html").getElementById("links");
  replace(document.getElementById("links"), found);
  clearTimeout(resting);
  if (found.dataset.running !== undefined) resting = setTimeout(completeEdges, POLL_MS);
}

// A browser opens at most six connections to one server, so a hidden page closes its connection.
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
window.addEventListener("pagehide", rest);
window.addEventListener("pageshow", listen);

controls.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("change", (event) => { if (event.target.form === controls) refresh(query()); });
changes.addEventListener("click", revealChanges);

// What is typed is sent in the body of a POST request. The links to the subscribers that are found have random keys.
search.addEventListener("submit", async (event) => {
  event.preventDefault();
  const request = { method: "POST", body: new URLSearchParams(new FormData(search)) };
  const answer = await fetch("readers" + document.body.dataset.address, request).catch(() => null);
  if (!answer) return;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("matches");
  if (!found) location.reload(); // the studio was restarted
  else replace(document.getElementById("matches"), found);
});

document.addEventListener("click", (event) => {
  const match = event.target.closest(".matches a"), place = event.target.closest(".place[data-place]");
  if (place) {
    event.preventDefault(); // without this script, the place of a comment is a link to its file
    for (const other of document.querySelectorAll(".place.shown")) other.classList.remove("shown");
    if (reveal(place.dataset.place)) place.classList.add("shown");
    else explain(place);
  } else if (match) {
    event.preventDefault();
    refresh(new URL(match.href).search);
    closeMenu(null, true);
  } else {
    closeMenu(event.target, false);
  }
});

function explain(place) {
  place.after(Object.assign(document.createElement("span"), { className: "quiet", textContent: " is not in the email shown here" }));
}

// Escape or a click anywhere else closes a menu.
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenu(null, true); });

function closeMenu(kept, isFocused) {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (menu.contains(kept)) continue;
    menu.open = false;
    if (isFocused) menu.querySelector("summary").focus();
  }
}

// A device that is too wide for its column is scaled down, never cropped.
const fitting = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    target.style.setProperty("--fit", Math.min(1, contentRect.width / target.dataset.width));
  }
});
for (const screen of document.querySelectorAll(".screen")) fitting.observe(screen);
if (matchMedia("(max-width: 700px)").matches) road.querySelector("details").open = false; // the email comes first there
completeEdges();
