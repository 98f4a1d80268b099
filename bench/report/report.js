// The button sets what the style sheet's light-dark() follows; without it the system decides.
const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
let dark = system.matches;
function show() {
  button.textContent = dark ? "Light" : "Dark";
  button.setAttribute("aria-label", `Switch to ${dark ? "light" : "dark"} colours`);
}
button.addEventListener("click", () => {
  dark = !dark;
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  show();
});
system.addEventListener("change", () => {
  if (!document.documentElement.style.colorScheme) { dark = system.matches; show(); }
});
button.hidden = false;
show();
