// What is better with a script: copying, moving through tables by keys, an overview
// that looks again by itself, and seeing how far a table is. Everything else works without.
(function () {
  "use strict";

  function copyButtons(root) {
    if (!navigator.clipboard) { return; }
    root.querySelectorAll("[data-copy]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(button.dataset.copy).then(function () {
          button.textContent = "Copied";
          setTimeout(function () { button.textContent = "Copy"; }, 2000);
        }, function () { button.textContent = "Could not copy"; });
      });
    });
  }

  // j and k move through the rows of the first table, Enter follows the row's link.
  function rowKeys() {
    var at = -1;
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) { return; }
      if (event.key === "/") {
        var field = document.getElementById("find");
        if (field) { event.preventDefault(); field.focus(); }
        return;
      }
      if (event.key !== "j" && event.key !== "k") { return; }
      var rows = document.querySelectorAll("table[data-rows] tbody tr");
      if (rows.length === 0) { return; }
      at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
      rows.forEach(function (row, n) { row.classList.toggle("here", n === at); });
      var link = rows[at].querySelector("a, button, summary");
      if (link) { link.focus(); }
      rows[at].scrollIntoView({ block: "nearest" });
    });
  }

  // How many rows are ticked, and all of a page at once.
  function picks(form) {
    // form.id is the field of that name.
    var boxes = Array.from(document.querySelectorAll('input[form="' + form.getAttribute("id") + '"]'));
    var all = document.querySelector("[data-pick-all]"), told = form.querySelector("[data-picked]");
    var button = form.querySelector("button");
    function count() {
      var n = boxes.filter(function (box) { return box.checked; }).length;
      all.checked = n > 0 && n === boxes.length;
      all.indeterminate = n > 0 && n < boxes.length;
      button.disabled = n === 0;
      told.textContent = n === 0 ? "None is ticked." : n + " of " + boxes.length + " on this page.";
    }
    all.hidden = boxes.length === 0;
    all.addEventListener("change", function () {
      boxes.forEach(function (box) { box.checked = all.checked; });
      count();
    });
    boxes.forEach(function (box) { box.addEventListener("change", count); });
    count();
  }

  // The first line of the chosen table names its columns: those that are called like
  // a field are offered for it.
  function columns(form) {
    var file = form.querySelector("input[type=file]"), list = form.querySelector("datalist");
    file.addEventListener("change", function () {
      if (!file.files[0]) { return; }
      file.files[0].slice(0, 65536).text().then(function (text) {
        var line = text.replace(/^\ufeff/, "").split(/\r?\n/)[0];
        var comma = [",", ";", "\t"].find(function (c) { return line.indexOf(c) >= 0; }) || ",";
        list.replaceChildren.apply(list, line.split(comma).map(function (name) {
          var option = document.createElement("option");
          option.value = name.trim().replace(/^"|"$/g, "");
          return option;
        }));
      });
    });
  }

  // What the answer says is wrong is put beside the fields of this page, which still
  // has the chosen file; what it said before goes.
  function blame(form, page) {
    form.querySelectorAll(".field-error").forEach(function (said) { said.remove(); });
    form.querySelectorAll("[aria-invalid]").forEach(function (field) { field.removeAttribute("aria-invalid"); });
    var answered = page.querySelector("form[data-upload]"), first = null;
    (answered ? answered.querySelectorAll("[aria-invalid]") : []).forEach(function (there) {
      var here = document.getElementById(there.id), said = there.parentElement.querySelector(".field-error");
      here.setAttribute("aria-invalid", "true");
      here.setAttribute("aria-describedby", there.getAttribute("aria-describedby"));
      here.parentElement.append(document.importNode(said, true));
      var folded = here.closest("details");
      if (folded) { folded.open = true; }
      first = first || here;
    });
    if (first) { first.focus(); }
    var why = page.querySelector("main [role=alert]") || page.querySelector(".lead");
    return why ? why.textContent.trim().replace(" Choose the file again; what you typed was kept.", "") : "The server did not take the table.";
  }

  // The answer is read as it comes, so that its lines can be counted.
  function upload(form) {
    var told = form.querySelector("[data-progress]"), button = form.querySelector("button[type=submit]");
    columns(form);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var data = new FormData(form);
      told.hidden = false;
      told.textContent = "Sending the table…";
      button.disabled = true;
      fetch(form.action, { method: "POST", body: data, credentials: "same-origin" }).then(function (answer) {
        if (!answer.ok || !/^text\/csv/.test(answer.headers.get("Content-Type") || "")) {
          return answer.text().then(function (page) {
            throw new Error(blame(form, new DOMParser().parseFromString(page, "text/html")));
          });
        }
        blame(form, document.implementation.createHTMLDocument(""));
        var whole = Number(answer.headers.get("X-Hallpass-Lines")) || 1;
        var reader = answer.body.getReader(), parts = [], lines = 0;
        function next() {
          return reader.read().then(function (step) {
            if (step.done) { return; }
            parts.push(step.value);
            step.value.forEach(function (c) { if (c === 10) { lines++; } });
            told.textContent = Math.max(0, lines - 1) + " of about " + whole + " lines…";
            return next();
          });
        }
        return next().then(function () {
          var link = document.createElement("a");
          link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
          link.download = "links.csv";
          link.textContent = "Save links.csv";
          link.className = "button";
          told.textContent = "Done: " + Math.max(0, lines - 1) + " lines. ";
          told.append(link);
          link.click();
        });
      }).catch(function (problem) {
        told.textContent = problem.message || "It broke off. Look at the events for how far it came.";
      }).finally(function () { button.disabled = false; });
    });
  }

  // The overview looks again by itself. What its reader opened, and where they were, stays;
  // and they can stop it.
  function updates() {
    var button = document.querySelector("[data-pause]"), kept = null;
    function paused() { return button.dataset.pause === "paused"; }
    function say(pause) {
      button.dataset.pause = pause ? "paused" : "";
      button.textContent = pause ? "Resume updates" : "Pause updates";
      try { sessionStorage.setItem("hallpass-paused", button.dataset.pause); } catch { /* it is forgotten then */ }
    }
    try { say(sessionStorage.getItem("hallpass-paused") === "paused"); } catch { say(false); }
    button.hidden = false;
    button.addEventListener("click", function () {
      say(!paused());
      if (!paused()) { htmx.trigger("#now", "look"); }
    });
    document.addEventListener("htmx:beforeRequest", function (event) {
      if (event.target.id === "now" && paused()) { event.preventDefault(); }
    });
    document.addEventListener("htmx:beforeSwap", function (event) {
      if (event.target.id !== "now") { return; }
      kept = { top: scrollY, open: [], at: [], focus: event.target.contains(document.activeElement) ? document.activeElement.id : "" };
      event.target.querySelectorAll("details[open]").forEach(function (d) { kept.open.push(d.id); });
      event.target.querySelectorAll(".table-wrap").forEach(function (w) { kept.at.push([w.id, w.scrollLeft, w.scrollTop]); });
    });
    document.addEventListener("htmx:afterSwap", function () {
      if (!kept) { return; }
      kept.open.forEach(function (id) {
        var details = document.getElementById(id);
        if (details) { details.open = true; }
      });
      kept.at.forEach(function (place) {
        var wrap = document.getElementById(place[0]);
        if (wrap) { wrap.scrollTo(place[1], place[2]); }
      });
      var focused = kept.focus && document.getElementById(kept.focus);
      if (focused) { focused.focus({ preventScroll: true }); }
      scrollTo(scrollX, kept.top);
      kept = null;
    });
  }

  copyButtons(document);
  if (document.getElementById("now")) { updates(); }
  rowKeys();
  document.querySelectorAll("form[data-upload]").forEach(upload);
  document.querySelectorAll("form[data-picks]").forEach(picks);
  document.addEventListener("htmx:afterSwap", function (event) { copyButtons(event.target); });
})();
