// The Messenger itself: the methods behind window.Intercom, from one boot to the shutdown that ends it.
const LOOK_EVERY = 2000; // milliseconds

function createMessenger(scriptUrl) {
  const request = createBackend(scriptUrl);
  const scriptAppId = decodeURIComponent(new URL(scriptUrl).pathname.split("/").pop());
  const listeners = { show: [], hide: [], unread: [], email: [] };
  let waiting = [];
  let throttle = createThrottle();
  // Everything between one boot and its shutdown; an answer that comes after its life has ended is dropped.
  let life = null;

  function begin(settings) {
    const appId = settings.app_id ? String(settings.app_id) : scriptAppId;
    const cookies = createCookies(appId);
    const mine = {
      appId,
      // A copy, for updates change it while the boot may still wait for its turn.
      settings: copyOf(settings),
      cookies,
      visitor: cookies.visitor(),
      session: cookies.session(),
      welcome: null,
      view: null,
    };
    mine.view = createView({
      send: (text, conversation) => write(mine, text, conversation),
      shown: () => {
        call(listeners.show);
        lookNow(mine);
      },
      hidden: () => call(listeners.hide),
    });
    cookies.device();
    return mine;
  }

  function body(mine, more) {
    return { app_id: mine.appId, visitor_id: mine.visitor, session: mine.session, ...more };
  }

  function ping(mine, action, settings) {
    const page = { url: location.href, title: String(mine.settings.page_title || document.title) };
    // The session is read when the request's turn has come: the answer before it may have opened one.
    return request(mine.settings.api_base, "ping", () => body(mine, { action, settings, page }))
      .then((answer) => {
        mine.session = answer.session || "";
        if (mine === life) welcome(mine, answer);
      })
      .catch((error) => refused(mine, error));
  }

  // What a teammate writes is asked for, as long as there is a conversation and the page is in sight.
  function lookNow(mine) {
    if (mine !== life || !mine.talks || document.hidden) return;
    request(mine.settings.api_base, "looks", () => body(mine, { seen: mine.view.inSight() }))
      .then((answer) => {
        if (mine !== life || !mine.welcome) return;
        mine.view.panel.update(answer.conversations);
        if (answer.unread === mine.unread) return;
        setUnread(mine, answer.unread);
        call(listeners.unread, answer.unread);
      })
      .catch(() => {});
  }

  function setUnread(mine, count) {
    mine.unread = mine.welcome.unread = count;
    mine.view.unread(count);
  }

  function talk(mine) {
    mine.talks = true;
    mine.timer = mine.timer || setInterval(() => lookNow(mine), LOOK_EVERY);
  }

  function welcome(mine, answer) {
    mine.welcome = answer;
    if (answer.session) mine.cookies.openSession(answer.session, mine.settings.session_duration);
    mine.view.mount();
    mine.view.look(mine.settings);
    mine.view.fill(answer);
    setUnread(mine, answer.unread || 0);
    if ((answer.conversations || []).length) talk(mine);
    const due = waiting;
    waiting = [];
    call(due);
    if (listeners.unread.length) call(listeners.unread, answer.unread || 0);
  }

  function refused(mine, error) {
    report(error);
    clearInterval(mine.timer);
    mine.timer = undefined;
    if (mine !== life) return;
    mine.welcome = null;
    mine.view.unmount();
  }

  function write(mine, text, conversation) {
    return request(mine.settings.api_base, "messages", () => body(mine, { text, conversation_id: conversation })).then(
      (answer) => {
        talk(mine);
        return answer.conversation;
      },
      (error) => {
        report(error);
        throw error;
      },
    );
  }

  function booted(method) {
    if (!life) console.warn(`Intercom: ${method} came before boot and does nothing`);
    return life;
  }

  // Runs once the Messenger stands: a method may be called right after boot, before the servers have answered.
  function whenUp(method, job) {
    const mine = booted(method);
    if (!mine) return;
    if (mine.welcome) job(mine.view);
    else waiting.push(() => mine === life && job(mine.view));
  }

  function present(method, prepare) {
    whenUp(method, (view) => {
      prepare(view.panel);
      view.show();
    });
  }

  const methods = {
    boot(given) {
      const settings = copyOf(given || window.intercomSettings);
      if (life) Object.assign(life.settings, settings);
      else life = begin(settings);
      ping(life, "boot", settings);
    },
    update(given) {
      const mine = booted("update");
      if (!mine) return;
      const settings = copyOf(given);
      for (const name of Object.keys(settings)) mine.settings[name] = settings[name];
      if (mine.welcome) mine.view.look(mine.settings);
      const verdict = throttle(toJson([settings, location.href]));
      if (verdict === "throttled") console.warn("Intercom: update is throttled: 20 in 30 minutes are free");
      if (verdict === "sent") ping(mine, "update", settings);
    },
    shutdown() {
      const mine = life;
      if (!mine) {
        createCookies(scriptAppId).forget();
        return;
      }
      request(mine.settings.api_base, "ping", () => body(mine, { action: "shutdown" })).catch(report);
      clearInterval(mine.timer);
      mine.view.unmount();
      mine.cookies.forget();
      life = null;
      waiting = [];
      throttle = createThrottle();
    },
    ready(job) {
      if (life && life.welcome) call([job]);
      else waiting.push(job);
    },
    hide: () => whenUp("hide", (view) => view.hide()),
    hideNotifications: () => {},
    show: () => whenUp("show", (view) => view.show()),
    showMessages: () => present("showMessages", (panel) => panel.list()),
    showSpace(space) {
      if (space === undefined || space === "home") methods.show();
      else if (space === "messages") methods.showMessages();
      else content("showSpace", space);
    },
    showNewMessage: (text) => present("showNewMessage", (panel) => panel.compose(String(text ?? ""))),
    startConversation: (text) => present("startConversation", (panel) => panel.compose(String(text ?? ""))),
    showConversation: (id) =>
      present("showConversation", (panel) =>
        panel.knows(id) ? panel.open(String(id)) : panel.show(contentPage("showConversation", id)),
      ),
    onHide: (job) => listeners.hide.push(job),
    onShow: (job) => listeners.show.push(job),
    onUnreadCountChange(job) {
      listeners.unread.push(job);
      if (life && life.welcome) call([job], life.welcome.unread || 0);
    },
    onUserEmailSupplied: (job) => listeners.email.push(job),
    trackEvent(name, metadata) {
      const mine = booted("trackEvent");
      if (!mine) return;
      const event = { event_name: name, metadata: copyOf(metadata) };
      request(mine.settings.api_base, "events", () => body(mine, event)).catch(report);
    },
    getVisitorId: () => (life ? life.visitor : undefined),
    whoami: () => (life && life.welcome ? { ...life.welcome.person } : undefined),
    setAuthTokens: () => {},
  };

  function content(method, id) {
    present(method, (panel) => panel.show(contentPage(method, id)));
  }
  for (const method of Object.keys(CONTENT)) methods[method] = methods[method] || ((id) => content(method, id));

  return (method, ...given) => {
    if (Object.hasOwn(methods, method)) return methods[method](...given);
    console.warn(`Intercom: there is no method ${String(method)}`);
    return undefined;
  };
}

function report(error) {
  console.error(`Intercom: ${error.code || "error"}: ${error.message}`);
}

// The page's own functions: what they throw is the page's to read, and must not stop the Messenger.
function call(jobs, ...given) {
  for (const job of jobs) {
    try {
      if (typeof job === "function") job(...given);
    } catch (error) {
      console.error(error);
    }
  }
}

(function start(scriptUrl) {
  const shim = window.Intercom;
  if (!scriptUrl || (typeof shim === "function" && !Array.isArray(shim.q))) return;
  const messenger = createMessenger(scriptUrl);
  const Intercom = (...given) => {
    try {
      const answer = messenger(...given);
      return ["getVisitorId", "whoami"].includes(given[0]) ? answer : undefined;
    } catch (error) {
      report(error);
      return undefined;
    }
  };
  window.Intercom = Intercom;
  if (window.intercomSettings && typeof window.intercomSettings === "object") Intercom("boot", window.intercomSettings);
  for (const given of (shim && shim.q) || []) Intercom(...Array.from(given));
})(document.currentScript && document.currentScript.src);
