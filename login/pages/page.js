(function () {
  "use strict";
  var loaded = Date.now();
  var words = window.Intl && Intl.RelativeTimeFormat ? new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" }) : null;

  // The server's clock is the one that counts: only what has passed since is ours.
  function left(element) {
    var now = Number(element.closest("[data-now]").getAttribute("data-now")) + Date.now() - loaded;
    return Math.ceil((Date.parse(element.querySelector("time").getAttribute("datetime")) - now) / 1000);
  }

  function tick() {
    document.querySelectorAll("[data-countdown]").forEach(function (element) {
      var seconds = left(element), early = element.closest("[data-until]");
      if (early) {
        early.hidden = seconds <= 0;
        element.closest("form").querySelector("button").disabled = seconds > 0;
      }
      if (words && seconds >= 0) {
        element.querySelector("time").textContent = seconds < 100 ? words.format(seconds, "second") : words.format(Math.ceil(seconds / 60), "minute");
      }
    });
  }

  var code = document.getElementById("code");
  if (code && code.hasAttribute("data-digits")) {
    var before = 0;
    code.addEventListener("input", function () {
      var plain = code.value.replace(/[\s\u00a0-]/g, ""), whole = Number(code.getAttribute("data-digits"));
      // A whole code at once was pasted or filled in. One that is typed waits for the button,
      // and so does one after a wrong one, or a password manager would use all tries up.
      if (plain.length - before > 1 && code.getAttribute("aria-invalid") !== "true" && plain.length === whole && /^[0-9]+$/.test(plain) && code.form.requestSubmit) {
        code.form.requestSubmit();
      }
      before = plain.length;
    });
  }

  tick();
  setInterval(tick, 1000);
})();
