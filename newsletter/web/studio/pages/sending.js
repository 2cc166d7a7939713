// The page on which an issue is tested, approved and sent. Without this script, everything works, after a reload.

const POLL_MS = 1000; // while emails are sent; a broadcast that waits for its time is looked at less often
const CALM_MS = 10_000;

/** Show that a form is being sent, and let it be sent only once. The server would do it only once anyway. */
function mindForms() {
  document.addEventListener("submit", (event) => {
    const button = event.submitter ?? event.target.querySelector("button");
    if (!button) return;
    if (event.target.dataset.isSent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.isSent = "yes";
    button.dataset.label = button.textContent;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });
  // A page that the browser kept for its Back button shows its forms as they were.
  addEventListener("pageshow", () => {
    for (const form of document.forms) {
      delete form.dataset.isSent;
      for (const button of form.querySelectorAll("[data-label]")) {
        button.textContent = button.dataset.label;
        button.removeAttribute("aria-disabled");
      }
    }
  });
}

/** Show how many people the chosen segment reaches. */
function showAudience(select) {
  const shown = document.getElementById("audience");
  let asking = new AbortController();
  async function show() {
    asking.abort();
    asking = new AbortController();
    const address = `${select.dataset.audience}?segment=${encodeURIComponent(select.value)}`;
    try {
      const answer = await fetch(address, { signal: asking.signal });
      if (answer.ok) shown.innerHTML = await answer.text();
    } catch {
      // Another segment was chosen, or the studio has stopped; the plan shows the number too.
    }
  }
  select.addEventListener("change", show);
  show();
}

/** Show the progress of a broadcast until nothing more happens. The focus stays on its button. */
function followAccount(shown) {
  const live = () => shown.querySelector(".account")?.dataset.live;
  const wait = (spentMs) => {
    // A quarter of the time at most is spent on looking, because a large ledger answers slowly.
    const pause = live() === "calm" ? CALM_MS : POLL_MS;
    if (live() !== "no") setTimeout(look, Math.max(pause, 3 * spentMs));
  };
  async function look() {
    const began = performance.now();
    try {
      const answer = await fetch(shown.dataset.address);
      if (answer.ok) replace(await answer.text());
    } catch {
      // The studio has stopped. The last numbers stay.
    }
    wait(performance.now() - began);
  }
  function replace(html) {
    if (shown.querySelector("form[data-is-sent]")) return;
    const focused = shown.contains(document.activeElement) ? document.activeElement.id : "";
    shown.innerHTML = html;
    if (focused) document.getElementById(focused)?.focus();
  }
  wait(0);
}

mindForms();
const segment = document.getElementById("segment");
if (segment) showAudience(segment);
const account = document.getElementById("account");
if (account) followAccount(account);
