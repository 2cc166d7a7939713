// Adds the times on the clock of this browser, if it differs from the event's. Nothing that the page says is replaced.
const offset = (text) => {
  const found = /([+-])(\d\d):(\d\d)$/.exec(text);
  return found ? Number(found[1] + "1") * (Number(found[2]) * 60 + Number(found[3])) : null;
};
const differs = (time) => offset(time.dateTime) !== null && offset(time.dateTime) !== -new Date(time.dateTime).getTimezoneOffset();
const form = new Intl.DateTimeFormat(document.documentElement.lang, {
  weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit",
});

function added(time, kind, label) {
  const { dateTime: starts, dataset: { ends } } = time;
  const said = ends ? form.formatRange(new Date(starts), new Date(ends)) : form.format(new Date(starts));
  const local = document.createElement(kind);
  local.className = "local";
  local.append(label, said);
  return local;
}

const { local } = document.querySelector("[data-local]").dataset;
for (const time of document.querySelectorAll(".when time[data-ends]")) {
  if (differs(time)) time.closest(".when").after(added(time, "p", local));
}
const dates = [...document.querySelectorAll(".dates time")];
if (dates.some(differs)) for (const time of dates) time.after(added(time, "span", ""));
