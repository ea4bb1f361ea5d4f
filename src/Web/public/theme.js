// Sets the chosen theme before the first paint. A file of its own because the page allows no inline script.
(function () {
  try {
    var theme = localStorage.getItem('coordinator.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
})();
