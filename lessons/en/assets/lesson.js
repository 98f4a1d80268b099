/* What the theme leaves out for people who read with a keyboard or a screen reader. */
document.addEventListener("DOMContentLoaded", () => {
  for (const code of document.querySelectorAll("pre > code")) code.tabIndex = 0
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search")
})
