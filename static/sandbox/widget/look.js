// From settings to the look: colours with readable text on them, side, distances, theme and language.
function applyLook(root, settings) {
  const paint = (name, value, ground) => {
    if (value === undefined || value === null) return;
    if (typeof value !== "string" || !CSS.supports("color", value)) {
      console.warn(`Intercom: ${name} is no colour that the browser knows`);
      return;
    }
    root.style.setProperty(`--${ground}`, value);
    root.style.setProperty(`--on-${ground}`, readableOn(root, value));
  };
  const distance = (value) => `${Number.isInteger(value) && value >= 20 ? value : 20}px`;

  for (const name of ["action", "on-action", "header", "on-header", "link"]) root.style.removeProperty(`--${name}`);
  paint("action_color", settings.action_color, "action");
  paint("background_color", settings.background_color || settings.action_color, "header");
  paint("link_color", settings.link_color, "link");
  root.style.setProperty("--across", distance(settings.horizontal_padding));
  root.style.setProperty("--down", distance(settings.vertical_padding));
  root.style.setProperty("--layer", String(Number.isInteger(settings.z_index) ? settings.z_index : 2147483000));
  root.dataset.side = settings.alignment === "left" ? "left" : "right";
  root.dataset.theme = ["dark", "system"].includes(settings.theme_mode) ? settings.theme_mode : "light";
  root.lang = typeof settings.language_override === "string" ? settings.language_override : "en";
}

// White where it can be read (WCAG's 4.5 to 1), else whichever of white and near-black stands out more.
function readableOn(root, colour) {
  const probe = document.createElement("span");
  probe.style.color = colour;
  root.append(probe);
  const channels = (getComputedStyle(probe).color.match(/^rgba?\((\d+), (\d+), (\d+)/) || []).slice(1);
  probe.remove();
  if (channels.length < 3) return "#ffffff";
  const [red, green, blue] = channels.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const white = 1.05 / (luminance + 0.05);
  const dark = (luminance + 0.05) / (0.0103 + 0.05);
  return white >= 4.5 || white >= dark ? "#ffffff" : "#16181d";
}
