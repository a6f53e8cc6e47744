// Messages in the corner. Anyone may send one: document.dispatchEvent(new CustomEvent("toast", {detail: {text, tone}})),
// and so may the server, by the header HX-Trigger: {"toast": {"text": "…", "tone": "success"}}.

const region = document.getElementById("toasts");
const template = document.getElementById("toast-template");
const STAY_MS = 6000;

const leaveLater = (toast) => {
  // What went wrong stays until it is closed.
  if (toast.matches(".toast-error, .toast-danger, .toast-warning")) return;
  let timer = setTimeout(() => toast.remove(), STAY_MS);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => (timer = setTimeout(() => toast.remove(), STAY_MS)));
};

const show = ({ text, tone = "info" }) => {
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.classList.replace("toast-info", `toast-${tone}`);
  toast.querySelector("[data-toast-text]").textContent = text;
  region.append(toast);
  leaveLater(toast);
};

region.querySelectorAll("[data-toast]").forEach(leaveLater);
document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
