// Everything that moves on the page: parts that are refreshed, tooltips, dialogs, dark and light.
import { drawCharts, refreshCharts, recolourCharts } from "./charts.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- parts -------------------------------------------------------------------------------------

function replacePart({ id, html }) {
  const part = document.getElementById(`part-${id}`);
  if (!part || part.innerHTML === html) return;
  const scrolled = $$(".scroll", part).map((each) => [each.scrollLeft, each.scrollTop]);
  const open = $$("details[open]", part).map((each) => each.dataset.key);
  const focused = part.contains(document.activeElement) ? pathTo(document.activeElement, part) : null;
  hideTip();
  part.innerHTML = html;
  $$(".scroll", part).forEach((each, place) => { [each.scrollLeft, each.scrollTop] = scrolled[place] ?? [0, 0]; });
  $$("details", part).forEach((each) => { if (open.includes(each.dataset.key)) each.open = true; });
  if (focused) followPath(focused, part)?.focus({ preventScroll: true });
  fillPersons(part);
}

function pathTo(element, root) {
  const path = [];
  for (let each = element; each !== root; each = each.parentElement) path.unshift([...each.parentElement.children].indexOf(each));
  return path;
}

function followPath(path, root) {
  return path.reduce((each, place) => each?.children[place], root);
}

function listen() {
  const source = new EventSource(document.body.dataset.stream);
  const away = $("#away");
  let late = null;
  source.addEventListener("open", () => { clearTimeout(late); late = null; away.hidden = true; document.body.dataset.live = "yes"; });
  source.addEventListener("part", (event) => replacePart(JSON.parse(event.data)));
  source.addEventListener("charts", refreshCharts);
  source.addEventListener("world", () => location.reload());
  source.addEventListener("error", () => {
    late ??= setTimeout(() => { away.hidden = false; }, 2500);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { source.close(); listen(); }, 2000);
  });
  addEventListener("pagehide", () => source.close());
}

// --- tooltips ----------------------------------------------------------------------------------

const tip = $("#tip");
let tipped = null;

function defined(target) {
  const own = target.closest?.("[data-def]");
  if (own) return own.title || own.dataset.title ? own : ($(".term", own) ?? own);
  const cell = target.closest?.("tbody td.num, tfoot td.num");
  if (!cell) return null;
  const place = columnOf(cell);
  const head = [...(cell.closest("table").tHead?.rows[0]?.cells ?? [])][place];
  return head?.dataset.def ? $(".term", head) : null;
}

function columnOf(cell) {
  // A row below one with cells that span rows has fewer cells of its own: count from the right where it does not fit.
  const row = cell.parentElement;
  if (!row.classList.contains("second")) return cell.cellIndex;
  const first = row.previousElementSibling;
  const own = [...first.cells].filter((each) => each.rowSpan === 1);
  return own[cell.cellIndex]?.cellIndex ?? -1;
}

function showTip(anchor, holder) {
  if (holder.title) { holder.dataset.title = holder.title; holder.removeAttribute("title"); }
  const words = holder.dataset.title ?? termOf(holder.dataset.def)?.dataset.title;
  if (!words) return;
  hideTip();
  tipped = anchor;
  tip.textContent = words;
  tip.hidden = false;
  anchor.setAttribute("aria-describedby", "tip");
  const box = anchor.getBoundingClientRect(), own = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, innerWidth - own.width - 8));
  const below = box.bottom + 6 + own.height < innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - own.height - 6)}px`;
}

function termOf(name) {
  const found = document.querySelector(`.term[data-def="${CSS.escape(name)}"]`);
  if (found?.title) { found.dataset.title = found.title; found.removeAttribute("title"); }
  return found;
}

function hideTip() {
  tipped?.removeAttribute("aria-describedby");
  tipped = null;
  tip.hidden = true;
}

for (const [enter, leave] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(enter, (event) => {
    const holder = defined(event.target);
    if (!holder) return;
    const anchor = event.target.closest("td, dd") ?? holder;
    if (anchor !== tipped) showTip(anchor, holder);
  });
  document.addEventListener(leave, (event) => {
    if (tipped && !tipped.contains(event.relatedTarget)) hideTip();
  });
}
addEventListener("scroll", hideTip, { passive: true, capture: true });

// --- dialogs, forms ----------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) { event.preventDefault(); dialog.showModal(); return; }
  const closer = event.target.closest("[data-close]");
  if (closer?.closest("dialog")) { event.preventDefault(); closer.closest("dialog").close(); return; }
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

function fillPersons(root = document) {
  let person = null;
  try { person = localStorage.getItem("person"); } catch { /* storage is off */ }
  if (person) $$("[data-person]", root).forEach((field) => { field.value = person; });
}

document.addEventListener("submit", (event) => {
  const field = $("[data-person]", event.target);
  if (field?.value) { try { localStorage.setItem("person", field.value); } catch { /* storage is off */ } }
});

document.addEventListener("input", (event) => {
  // One name for every form of a page.
  if (event.target.matches("[data-source]")) $$("[data-copy]").forEach((field) => { field.value = event.target.value; });
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-go], .world select")) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

// --- dark and light ----------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");

$("#theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("theme", next); } catch { /* storage is off */ }
  recolourCharts();
});
dark.addEventListener("change", recolourCharts);

fillPersons();
drawCharts();
listen();
