"""The calls with which the playground begins: the specification's, and what people trip over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the calls as a page writes them, and the settings that differ from the playground's own."""

    name: str
    kind: str
    calls: str
    identity: str = "none"
    rich_links: str = ""


EXAMPLES = (
    Example(
        "Who somebody is",
        "identify",
        """analytics.identify("user1234", {
  email: "teemo@segment.com",
  name: "Teemo",
  company: {
    id: "813",
    name: "Teemo Holding Company",
    createdAt: "Thu Mar 24 2016 17:44:51 GMT+0000 (UTC)",
  },
  createdAt: "Thu Mar 24 2016 17:46:45 GMT+0000 (UTC)",
});""",
    ),
    Example(
        "Company by its name",
        "identify",
        """analytics.identify("user1234", {
  email: "teemo@segment.com",
  company: "Teemo Holding Company",
  plan: "Enterprise",
});""",
    ),
    Example(
        "Out of a company",
        "identify",
        """analytics.identify("019mr8mf4r", {
  name: "Michael Bolton",
  email: "mbolton@initech.com",
  company: { id: 12345, remove: true },
});""",
    ),
    Example(
        "Secure mode",
        "identify",
        """analytics.identify("user1234", { email: "teemo@segment.com" });""",
        identity="hash",
    ),
    Example(
        "Own hash, one integration",
        "identify",
        """analytics.identify("user1234", { email: "teemo@segment.com" }, {
  integrations: {
    All: false,
    Intercom: { user_hash: "221c8aca71aca66bfc201ca159d56d2c4ebe3c5bc929a1e1d4bcbe135a2e6501" },
  },
});""",
    ),
    Example(
        "Nothing that fits",
        "identify",
        """analytics.identify("user1234", {
  createdAt: "the day before yesterday",
  hide_default_launcher: true,
  trialEnds: new Date("2026-12-31"),
  ovens: { deck: 3, rack: 1 },
  company: { plan: "Street" },
});""",
    ),
    Example(
        "A company",
        "group",
        """analytics.identify("user1234", { email: "teemo@segment.com" });
analytics.group("companyId123", {
  name: "Segment",
  plan: "Enterprise",
  monthlySpend: "$1,234.50",
});""",
    ),
    Example(
        "Group of nobody",
        "group",
        """analytics.group("companyId123", { name: "Segment" });""",
    ),
    Example(
        "Revenue",
        "track",
        """analytics.track("Order Completed", {
  revenue: 19.99,
  currency: "EUR",
  gift: true,
  deliveredAt: new Date("2026-03-01T06:30:00Z"),
});""",
    ),
    Example(
        "Rich link",
        "track",
        """analytics.track("Order Placed", {
  order_number: {
    value: "3434-3434",
    url: "https://example.com/orders/3434-3434",
  },
});""",
        rich_links="order_number",
    ),
    Example(
        "Too many properties",
        "track",
        """analytics.track("Baked", {
  a: 1, b: 2, c: 3, d: 4, e: 5, f: 6,
  g: 7, h: 8, i: 9, j: 10, k: 11,
  revenue: 4.5,
});""",
    ),
    Example(
        "A page without launcher",
        "page",
        """analytics.identify("user1234", { email: "teemo@segment.com" });
analytics.page("Docs", "Checkout", {}, { Intercom: { hideDefaultLauncher: true } });""",
    ),
    Example(
        "A screen",
        "screen",
        """analytics.screen("Oven", { loaves: 12 });""",
    ),
    Example(
        "Two ids of one person",
        "alias",
        """analytics.alias("user1234", "anonymous-5f1b");""",
    ),
)
