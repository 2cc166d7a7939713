// Search in the list of issues. Without this script, the box stays hidden and the list of all years remains.
const bar = document.querySelector("[data-search]");
const results = document.querySelector("[data-results]");

async function open() {
  const address = new URL(bar.dataset.search, document.baseURI);
  const pagefind = await import(address.href);
  await pagefind.options({ baseUrl: new URL("..", address).pathname });
  await pagefind.init();
  return pagefind;
}

function entry(found) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = found.url;
  link.textContent = found.meta.title;
  const words = document.createElement("p");
  // The excerpt is HTML with <mark> around the words that were found. Only its text is used.
  const excerpt = new DOMParser().parseFromString(found.excerpt, "text/html");
  for (const node of excerpt.body.childNodes) {
    const part = node.nodeName === "MARK" ? document.createElement("mark") : document.createElement("span");
    part.textContent = node.textContent;
    words.append(part);
  }
  item.append(link, words);
  return item;
}

async function search(pagefind, asked) {
  const answer = await pagefind.debouncedSearch(asked, {}, 200);
  if (answer === null) return;
  const found = await Promise.all(answer.results.slice(0, 12).map((each) => each.data()));
  results.hidden = asked === "";
  results.querySelector("ol").replaceChildren(...found.map(entry));
  results.querySelector("p").textContent = found.length === 0 ? bar.dataset.none : "";
}

if (bar !== null) {
  const box = bar.querySelector("input");
  let opened;
  bar.hidden = false;
  box.addEventListener("input", async () => {
    opened ??= open();
    if (box.value.trim() === "") results.hidden = true;
    else await search(await opened, box.value.trim());
  });
}
