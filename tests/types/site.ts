/// <reference path="../../static/segment_intercom/analytics.d.ts" />
// What a site writes. Each line below an @ts-expect-error must be refused.

analytics.identify("user1234", { email: "ann@example.com", plan: "pro", createdAt: new Date(), company: { id: 813, name: "Acme" } });
analytics.identify({ plan: "pro" }, { Intercom: { hideDefaultLauncher: true } }, () => analytics.track("Paid"));
analytics.identify(42, null, { integrations: { All: false, Intercom: { user_hash: "0af3" } } }).page();
analytics.group("companyId123", { name: "Segment", monthlySpend: 1200, seats: 4 });
analytics.track("Order Completed", { revenue: "19.99", currency: "EUR", items: [{ sku: "a" }] }, () => {});
analytics.page("Docs", "Pricing", { title: "Pricing" });
analytics.page({}, { Intercom: { hideDefaultLauncher: true } });
analytics.alias("new", "old");
analytics.ready(() => Intercom("onUnreadCountChange", (count) => console.log(count + 1)));
analytics.on("track", (event, properties) => console.log(event.toUpperCase(), properties.plan));
analytics.once("identify", (userId) => console.log(userId?.length)).off("page");
analytics.trackLink(document.querySelectorAll("a"), (link) => link.id, { place: "menu" });
analytics.trackForm(document.querySelector("form"), "Sent").debug().reset();
analytics.setAnonymousId("5f1b");
analytics.push(["track", "Paid"], ["page"]);
console.log(analytics.user().id(), analytics.user().traits().plan, analytics.group().id(), analytics.user().anonymousId().length);
if (analytics.initialized) window.intercomLoad?.();
document.addEventListener("intercom:ready", () => Intercom("show"));
document.addEventListener("intercom:load-failed", (event) => console.log(event.detail));
Intercom("boot", { app_id: "abc12345", user_id: "1", created_at: 1700000000, plan: "pro", alignment: "left" });
Intercom("trackEvent", "Paid", { price: { amount: 1999, currency: "EUR" } });
Intercom("showArticle", 7);
Intercom("showSpace", "news");
window.intercomSettings = { app_id: "abc12345", company: { company_id: "813", name: "Acme" } };

// @ts-expect-error an event needs a name
analytics.track();
// @ts-expect-error a launcher is hidden or not
analytics.identify("u", {}, { Intercom: { hideDefaultLauncher: "yes" } });
// @ts-expect-error there is no such call
analytics.identity("u");
// @ts-expect-error a function is no trait
analytics.identify("u", { plan: () => "pro" });
// @ts-expect-error nor of a listener
analytics.on("tracked", () => {});
// @ts-expect-error the Messenger knows no such method
Intercom("open");
// @ts-expect-error a date is in seconds
Intercom("boot", { app_id: "abc12345", created_at: "2020-01-01" });
// @ts-expect-error there is no such side
Intercom("update", { alignment: "middle" });
