// Adds the times on the clock of this browser, if it differs from the event's. Nothing that the page says is replaced.
(() => {
  const offset = (text) => {
    const found = /([+-])(\d\d):(\d\d)$/.exec(text);
    return found ? Number(found[1] + "1") * (Number(found[2]) * 60 + Number(found[3])) : null;
  };
  const differs = (text) => offset(text) !== null && offset(text) !== -new Date(text).getTimezoneOffset();
  const form = new Intl.DateTimeFormat(document.documentElement.lang, {
    weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit",
  });
  const said = (starts, ends) =>
    ends ? form.formatRange(new Date(starts), new Date(ends)) : form.format(new Date(starts));
  const alone = document.querySelector(".local");
  if (alone && differs(alone.dataset.starts)) {
    alone.append(alone.dataset.label, said(alone.dataset.starts, alone.dataset.ends));
    alone.hidden = false;
  }
  const dates = [...document.querySelectorAll(".dates time")];
  if (dates.some((date) => differs(date.dateTime))) {
    for (const date of dates) {
      const local = document.createElement("span");
      local.className = "local";
      local.append(said(date.dateTime, date.dataset.ends));
      date.after(local);
    }
  }
})();
