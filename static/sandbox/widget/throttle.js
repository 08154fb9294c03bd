// Whether an update is sent: twenty are free in half an hour, and an identical one within a minute is the same update.
function createThrottle() {
  const FREE = 20;
  const WINDOW = 30 * 60 * 1000;
  const MERGED = 60 * 1000;
  let sent = [];

  return (update) => {
    const now = Date.now();
    sent = sent.filter((earlier) => now - earlier.at < WINDOW);
    if (sent.some((earlier) => earlier.update === update && now - earlier.at < MERGED)) return "merged";
    if (sent.length >= FREE) return "throttled";
    sent.push({ at: now, update });
    return "sent";
  };
}
