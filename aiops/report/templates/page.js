"use strict";
(function () {
  const buttons = document.querySelectorAll("[data-language]");
  function show(language) {
    document.documentElement.lang = language;
    document.title = document.documentElement.dataset["title" + (language === "ko" ? "Ko" : "En")];
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    }
    for (const one of document.querySelectorAll("[data-label-en]")) {
      one.setAttribute("aria-label", language === "ko" ? one.dataset.labelKo : one.dataset.labelEn);
    }
    document.dispatchEvent(new CustomEvent("language"));
  }
  for (const button of buttons) {
    button.addEventListener("click", () => show(button.dataset.language));
  }
  show(document.documentElement.lang);
  // What is folded away on the screen is wanted on paper.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
