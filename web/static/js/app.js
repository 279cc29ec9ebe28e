// What every page does beyond its links and forms. Without this file they all still work.

const dialog = document.querySelector("#dialog");

// A link that leads to a question ("close this position?") opens it above the page.
async function openQuestion(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const question = page.querySelector("[data-question]");
  if (!answer.ok || !question) {
    location.assign(link.href); // the page itself says what is wrong
    return;
  }
  dialog.replaceChildren(document.importNode(question, true));
  dialog.setAttribute("aria-labelledby", question.querySelector("h1, h2").id);
  dialog.querySelector("[data-cancel]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.showModal();
  dialog.querySelector("[data-cancel]").focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openQuestion(link).catch(() => location.assign(link.href));
});

dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // a press beside the question
});

// A form that changes something is sent once; the server would refuse the second one too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  if (button?.dataset.sending) {
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.sending;
  }
});

// After "back", the browser may show the page as it was: let its forms be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A choice in a list of leaders takes effect at once; the button is for those without this.
document.querySelectorAll("form[data-auto] select, form[data-auto] input[type=checkbox]").forEach(
  (field) => field.addEventListener("change", () => field.form.requestSubmit()),
);
document.querySelectorAll("[data-without-script]").forEach((element) => {
  element.hidden = true;
});

// Keys: "/" to search, "g t" to the traders, "g m" to one's own copies.
let goPressed = false;
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey)
    return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (goPressed && (event.key === "t" || event.key === "m")) {
    document.querySelector(`.nav a[data-key="${event.key}"]`)?.click();
  }
  goPressed = event.key === "g";
});
