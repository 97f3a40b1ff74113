/* Forms of choices: a changed choice shows the page at once, so that the button is not needed. */
"use strict";

for (const form of document.querySelectorAll("[data-choices]")) {
  for (const button of form.querySelectorAll("button:not([type])")) button.hidden = true;
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}
