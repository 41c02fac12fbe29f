// Who presses a button of the theme by the keyboard stays there.
//
// The theme takes the focus from these buttons, so that no ring is left after a pointer. After a key
// the next Tab would begin anew, and what closes again would not know where to go back to.
(() => {
  "use strict";
  const buttons = ".theme-switch-button, .search-button, .primary-toggle, .secondary-toggle";
  const press = (event) => {
    const button = event.target.closest?.(buttons);
    const byKey = event.detail === 0;
    if (button) button.blur = byKey ? () => {} : HTMLElement.prototype.blur;
  };
  document.addEventListener("click", press, true); // before the theme's own
})();
