// From settings to the look: colours with readable text on them, side, distances, theme and language.
const WHITE = [255, 255, 255];
const DARK = [22, 24, 29];

function applyLook(root, settings) {
  const paint = (name, value, ground) => {
    if (value === undefined || value === null) return;
    if (typeof value !== "string" || !CSS.supports("color", value)) {
      console.warn(`Intercom: ${name} is no colour that the browser knows`);
      return;
    }
    root.style.setProperty(`--${ground}`, value);
    root.style.setProperty(`--on-${ground}`, readableOn(channelsOf(root, value)));
  };
  const distance = (value) => `${Number.isInteger(value) && value >= 20 ? value : 20}px`;

  for (const name of ["action", "on-action", "header", "on-header", "link"]) root.style.removeProperty(`--${name}`);
  paint("action_color", settings.action_color, "action");
  paint("background_color", settings.background_color || settings.action_color, "header");
  const link = linkFrom(channelsOf(root, settings.action_color));
  if (settings.link_color) paint("link_color", settings.link_color, "link");
  else if (link) root.style.setProperty("--link", link);
  root.style.setProperty("--across", distance(settings.horizontal_padding));
  root.style.setProperty("--down", distance(settings.vertical_padding));
  root.style.setProperty("--layer", String(Number.isInteger(settings.z_index) ? settings.z_index : 2147483000));
  root.dataset.side = settings.alignment === "left" ? "left" : "right";
  root.dataset.theme = ["dark", "system"].includes(settings.theme_mode) ? settings.theme_mode : "light";
  root.lang = typeof settings.language_override === "string" ? settings.language_override : "en";
}

// Red, green and blue of a colour, or null where the browser gives no such numbers.
function channelsOf(root, colour) {
  const probe = document.createElement("span");
  probe.style.color = typeof colour === "string" ? colour : "";
  if (!probe.style.color) return null;
  root.append(probe);
  const found = getComputedStyle(probe).color.match(/^rgba?\((\d+), (\d+), (\d+)/);
  probe.remove();
  return found && found.slice(1).map(Number);
}

function luminanceOf(channels) {
  const [red, green, blue] = channels.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// WCAG's measure: text wants 4.5 to 1.
function contrast(one, other) {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

// White where it can be read, else whichever of white and near-black stands out more.
function readableOn(channels) {
  if (!channels) return "#ffffff";
  const [white, dark] = [WHITE, DARK].map((text) => contrast(text, channels));
  return white >= 4.5 || white >= dark ? "#ffffff" : "#16181d";
}

// Links, icons and focus in the action's colour, as much darker or lighter as each theme's paper needs.
function linkFrom(channels) {
  if (!channels) return null;
  const [light, dark] = [readableAs(channels, WHITE, DARK), readableAs(channels, DARK, WHITE)];
  return `light-dark(rgb(${light}), rgb(${dark}))`;
}

function readableAs(channels, paper, towards) {
  const mixed = (share) => channels.map((channel, n) => Math.round(channel + (towards[n] - channel) * share));
  const shares = Array.from({ length: 21 }, (_each, step) => step / 20);
  return mixed(shares.find((share) => contrast(mixed(share), paper) >= 4.5));
}
