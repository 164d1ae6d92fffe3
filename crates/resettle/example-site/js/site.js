// The menu on small screens, and the gallery's filter.
(function () {
  "use strict";
  var toggle = document.querySelector(".menu-toggle");
  var menu = document.getElementById("menu");
  if (toggle && menu) {
    toggle.addEventListener("click", function () {
      var open = menu.classList.toggle("open");
      toggle.setAttribute("aria-expanded", String(open));
    });
  }

  var chips = document.querySelectorAll("[data-filter]");
  var pieces = document.querySelectorAll("[data-kind]");
  var count = document.getElementById("count");
  chips.forEach(function (chip) {
    chip.addEventListener("click", function () {
      var kind = chip.dataset.filter;
      var shown = 0;
      chips.forEach(function (other) { other.classList.toggle("on", other === chip); });
      pieces.forEach(function (piece) {
        piece.hidden = kind !== "all" && piece.dataset.kind !== kind;
        if (!piece.hidden) shown += 1;
      });
      if (count) count.textContent = String(shown);
    });
  });
})();
