
"use strict";
// Keys and a filter. The page does without: every link and every order is there already.
{
  const rows = [...document.querySelectorAll("tbody tr:not(.up)")];
  const up = document.querySelector("a[rel=up]");
  const filter = document.getElementById("filter");
  const found = document.querySelector("output");
  const texts = rows.map(row => row.querySelector("bdi").textContent.toLowerCase());

  const first = () => rows.find(row => !row.hidden)?.querySelector("a");
  const links = () => [...document.querySelectorAll("tbody tr:not([hidden]) a")];

  // Moves from the focused link; from nowhere, to the first. At either end it stays, and the page scrolls.
  const move = (event, step) => {
    const all = links();
    const next = all[document.activeElement.closest("tbody") ? all.indexOf(document.activeElement) + step : 0];
    if (next) { event.preventDefault(); next.focus(); }
  };

  const narrow = () => {
    const wanted = filter.value.toLowerCase();
    let count = 0;
    rows.forEach((row, index) => { if (!(row.hidden = !texts[index].includes(wanted))) count++; });
    found.textContent = wanted ? `${count} of ${rows.length}` : "";
  };

  const inFilter = event => {
    if (event.key === "Escape") { filter.value = ""; narrow(); filter.blur(); }
    else if (event.key === "ArrowDown") { event.preventDefault(); first()?.focus(); }
    else if (event.key === "Enter") first()?.click();
  };

  const onPage = event => {
    if (event.key === "ArrowDown" || event.key === "j") move(event, 1);
    else if (event.key === "ArrowUp" || event.key === "k") move(event, -1);
    else if (event.key === "Backspace" || event.key === "u") up?.click();
    else if (event.key === "/") { event.preventDefault(); filter.focus(); filter.select(); }
  };

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target === filter) inFilter(event); else onPage(event);
  });
  filter.addEventListener("input", narrow);
  filter.parentElement.hidden = document.getElementById("keys").hidden = !rows.length;
  narrow(); // a browser that went back fills the filter in again
}
