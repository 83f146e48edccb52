"use strict";
const changes = Array.from(document.querySelectorAll("details.change"));
const search = document.getElementById("search");
const side = document.getElementById("side");
const count = document.getElementById("count");
let texts = null;
let current = -1;

function find() {
  texts = texts || changes.map((change) => change.textContent.toLowerCase());
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  changes.forEach((change, at) => {
    change.hidden = !words.every((word) => texts[at].includes(word));
    shown += change.hidden ? 0 : 1;
  });
  count.textContent = `${shown} of ${changes.length}`;
}

function fold(open) {
  for (const change of changes) {
    if (!change.hidden) change.open = open;
  }
}

function go(step) {
  let at = current + step;
  while (at >= 0 && at < changes.length && changes[at].hidden) at += step;
  if (at < 0 || at >= changes.length) return;
  if (current >= 0) changes[current].classList.remove("current");
  current = at;
  changes[at].classList.add("current");
  const summary = changes[at].querySelector("summary");
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => search.focus(),
  j: () => go(1),
  k: () => go(-1),
  o: () => current >= 0 && (changes[current].open = !changes[current].open),
  e: () => fold(true),
  c: () => fold(false),
  s: () => side.click(),
};

search.addEventListener("input", find);
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    search.value = "";
    find();
    search.blur();
  }
});
document.getElementById("expand").addEventListener("click", () => fold(true));
document.getElementById("collapse").addEventListener("click", () => fold(false));
document.addEventListener("keydown", (event) => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
  if (act) {
    event.preventDefault();
    act();
  }
});

let folded = [];
addEventListener("beforeprint", () => {
  folded = changes.filter((change) => !change.open);
  folded.forEach((change) => (change.open = true));
});
addEventListener("afterprint", () => folded.forEach((change) => (change.open = false)));
