// Quick extras; every page works without them. Arrow keys step a quantity by its lot; a double click sends a form once.
addEventListener("keydown", (event) => {
  const field = event.target;
  const step = Number(field.dataset && field.dataset.step);
  if (!step || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
  const held = Number(field.value.replace(/[,\s]/g, ""));
  if (!Number.isInteger(held)) return;
  const next = event.key === "ArrowUp" ? Math.floor(held / step) * step + step : Math.ceil(held / step) * step - step;
  field.value = Math.max(next, step);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  event.preventDefault();
});
// In a form with data-steps, minus and plus step the field at once; a button with data-sets puts its value there.
addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("button");
  const form = button && button.form;
  if (!form || !("steps" in form.dataset)) return;
  const field = form.elements.namedItem("quantity");
  if (!field) return;
  if (button.name === "less" || button.name === "more") {
    field.dispatchEvent(new KeyboardEvent("keydown", { key: button.name === "more" ? "ArrowUp" : "ArrowDown", bubbles: true }));
  } else if (button.dataset.sets) {
    field.value = button.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else return;
  event.preventDefault();
});
// Printing needs a script, so its button shows itself only here.
const offerPrint = () => document.querySelectorAll("[data-prints]").forEach((button) => { button.hidden = false; });
addEventListener("DOMContentLoaded", offerPrint);
addEventListener("click", (event) => {
  if (event.target.closest && event.target.closest("[data-prints]")) print();
});
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  setTimeout(() => { delete form.dataset.sent; if (event.submitter) event.submitter.removeAttribute("aria-busy"); }, 4000);
});
// The line numbers beside a source keep up with the typing; which lines are faulty only the check says.
addEventListener("input", (event) => {
  const held = event.target.dataset && document.getElementById(event.target.dataset.numbers || "");
  if (!held) return;
  const lines = event.target.value.split("\n").length;
  while (held.childElementCount > lines) held.lastElementChild.remove();
  while (held.childElementCount < lines) held.appendChild(document.createElement("span")).textContent = held.childElementCount;
});
