// Keeps the board current: the server says that something changed, the page fetches its part.
// Without script, or with the connection away, the page is still whole; it is only older.
"use strict";
(function () {
  var board = document.getElementById("board");
  var told = document.getElementById("told");
  var state = document.getElementById("live");
  var toggle = document.getElementById("pause");
  if (!board || !window.fetch) { return; }
  var paused = false, fetching = false, again = false, source = null;

  function show(mode) {
    if (paused) { mode = "paused"; }
    state.dataset.state = mode;
    state.textContent = state.dataset["say" + mode];
  }

  function refresh() {
    if (paused || document.hidden) { again = true; return; }
    if (fetching) { again = true; return; }
    fetching = true;
    again = false;
    fetch(board.dataset.part, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.text();
      })
      .then(function (html) {
        var within = document.activeElement && board.contains(document.activeElement);
        var place = within ? document.activeElement.getAttribute("href") : null;
        board.innerHTML = html;
        if (place) {
          var back = Array.from(board.querySelectorAll("a")).find(function (a) {
            return a.getAttribute("href") === place;
          });
          if (back) { back.focus(); }
        }
        var summary = board.querySelector("[data-summary]");
        if (summary && told.textContent !== summary.dataset.summary) {
          told.textContent = summary.dataset.summary;
        }
        show("on");
      })
      .catch(function () { show("off"); })
      .finally(function () {
        fetching = false;
        if (again) { refresh(); }
      });
  }

  function listen() {
    if (!window.EventSource) { return; }
    source = new EventSource(board.dataset.live);
    source.addEventListener("board", refresh);
    source.onopen = function () { show("on"); };
    source.onerror = function () { show("off"); };
  }

  toggle.hidden = false;
  state.hidden = false;
  toggle.addEventListener("click", function () {
    paused = !paused;
    toggle.setAttribute("aria-pressed", String(paused));
    show("on");
    if (!paused) { refresh(); }
  });
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && again) { refresh(); }
  });
  window.addEventListener("pagehide", function () { if (source) { source.close(); } });
  // What is left of a due time shrinks without anything happening; also the fallback.
  window.setInterval(refresh, 30000);
  listen();
})();
