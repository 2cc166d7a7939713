// Reads calendar files with ical.js, using only the zones that they define. The input has one path of a file on each
// line. Prints for each file the start and end of each time of its events, in seconds since 1970 or as a day.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const paths = readFileSync(0, "utf8").trim().split("\n");
const told = (time) => (time.isDate ? time.toString() : time.toUnixTime());
for (const path of paths) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(path, "utf8")));
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
  const all = calendar.getAllSubcomponents("vevent").map((each) => new ICAL.Event(each));
  const moved = all.filter((event) => event.isRecurrenceException());
  const times = [];
  for (const event of all.filter((each) => !each.isRecurrenceException())) {
    if (!event.isRecurring()) {
      times.push([told(event.startDate), told(event.endDate)]);
      continue;
    }
    for (const each of moved.filter((other) => other.uid === event.uid)) event.relateException(each);
    const iterator = event.iterator();
    for (let next = iterator.next(); next; next = iterator.next()) {
      const { startDate, endDate } = event.getOccurrenceDetails(next);
      times.push([told(startDate), told(endDate)]);
    }
  }
  console.log(JSON.stringify(times));
}
