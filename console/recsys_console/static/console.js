/* The console's script: theme, shortcuts, dialogs, toasts, the secret of forms, drop zones.
   Pages work without it, except for drop zones and previews. */
"use strict";

const one = (selector, root = document) => root.querySelector(selector);

/* htmx: each request carries the secret of the session's forms. */
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = one('meta[name="csrf"]').content;
});
document.addEventListener("htmx:error", () => toast("The console does not answer. Try again.", "bad"));

/* Light and dark */
function switchTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
}
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-theme-switch]")) {
    event.preventDefault();
    switchTheme();
  }
});

/* A form that searches with a picture carries the words and filters that the address has now. */
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-search-form]")) event.target.elements.search.value = location.search;
});

/* Toasts */
function toast(text, kind = "good") {
  const element = document.createElement("div");
  element.className = `toast toast-${kind}`;
  element.setAttribute("role", kind === "bad" ? "alert" : "status");
  element.textContent = text;
  one("#toasts").append(element);
}
function watchToasts() {
  const seen = new WeakSet();
  const watch = () => {
    for (const each of document.querySelectorAll("#toasts .toast")) {
      if (seen.has(each) || each.matches(".toast-bad")) continue;
      seen.add(each);
      setTimeout(() => each.matches(":hover, :focus-within") || each.remove(), one("form", each) ? 12000 : 6000);
    }
  };
  new MutationObserver(watch).observe(one("#toasts"), { childList: true });
  watch();
}

/* Clicks: dialogs, toasts */
document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-opens], [data-closes], [data-dismiss]");
  if (!element) {
    if (event.target.matches("dialog")) event.target.close();
    return;
  }
  if (element.dataset.opens) event.preventDefault(); // a link to the same form without script
  if (element.dataset.opens) document.getElementById(element.dataset.opens)?.showModal();
  if ("closes" in element.dataset && element.closest("dialog")) {
    event.preventDefault(); // a link to the page before, without script
    element.closest("dialog").close();
  }
  if ("dismiss" in element.dataset) element.closest(".toast")?.remove();
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

/* Keys */
let waiting = 0;
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const element = event.target;
  if (element.closest("input, textarea, select, dialog[open], [contenteditable]")) return;
  if (waiting && event.timeStamp - waiting < 1500) {
    waiting = 0;
    const link = one(`.navigation a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  const actions = {
    g: () => (waiting = event.timeStamp),
    "/": () => (one("[data-search]") ? one("[data-search]").focus() : location.assign("/items")),
    "?": () => one("#shortcuts").showModal(),
    t: switchTheme,
  };
  if (event.key in actions) {
    event.preventDefault();
    actions[event.key]();
  }
}
document.addEventListener("keydown", onKey);

/* Drop zones: a file input whose label takes dropped and pasted pictures and shows a preview. */
function showPreview(zone) {
  const file = one('input[type="file"]', zone).files[0];
  const picture = one("[data-preview]", zone);
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.hidden = !file;
  if (file) picture.src = URL.createObjectURL(file);
  else picture.removeAttribute("src");
  const name = one("[data-file-name]", zone);
  if (name) name.textContent = file ? file.name : name.dataset.fileName;
  zone.classList.toggle("filled", Boolean(file));
}
function takeFile(zone, files) {
  const file = [...files].find((each) => each.type.startsWith("image/"));
  if (!file) {
    toast("Drop a picture: JPEG, PNG, WebP or GIF.", "bad");
    return;
  }
  const input = one('input[type="file"]', zone);
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
document.addEventListener("change", (event) => {
  const zone = event.target.closest("[data-drop]");
  if (!zone || event.target.type !== "file") return;
  showPreview(zone);
  if (event.target.files.length && "submits" in event.target.dataset) event.target.form.requestSubmit();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("[data-drop]") ?? (kind === "drop" ? null : undefined);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // a picture dropped elsewhere must not replace the page
    if (!zone) return;
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeFile(zone, event.dataTransfer.files);
  });
}
document.addEventListener("paste", (event) => {
  const zone = one("[data-drop]");
  if (zone && event.clipboardData.files.length) takeFile(zone, event.clipboardData.files);
});

watchToasts();
