/**
 * The types of what a page with `analytics_snippet` has: Segment's `analytics`, and Intercom's Messenger.
 *
 * Declared for the whole page: `/// <reference path="analytics.d.ts" />`, or the file among those of a tsconfig.json.
 */

declare namespace SegmentIntercom {
  /** What JSON holds, and dates; of other values only what can be sent is. */
  type Value = string | number | boolean | null | undefined | Date | Value[] | { [name: string]: Value };

  /** Custom attributes, or properties of an event. */
  interface Values {
    [name: string]: Value;
  }

  /** A company in an identify call; `id` or `name` says which. */
  interface CompanyTraits extends Values {
    id?: string | number;
    name?: string;
    plan?: string;
    monthlySpend?: number | string;
    size?: number;
    website?: string;
    industry?: string;
    createdAt?: string | number | Date;
    /** Takes the user out of the company. */
    remove?: boolean;
  }

  /** What is known of a user; any other name is a custom attribute. */
  interface UserTraits extends Values {
    email?: string;
    name?: string;
    firstName?: string;
    lastName?: string;
    phone?: string;
    avatar?: string | { type: "avatar"; image_url: string };
    createdAt?: string | number | Date;
    company?: string | CompanyTraits | CompanyTraits[];
    companies?: CompanyTraits[];
  }

  /** The options for Intercom of a single call. */
  interface IntercomOptions {
    /** The proof of the identity that this call names. */
    user_hash?: string;
    userHash?: string;
    intercom_user_jwt?: string;
    hideDefaultLauncher?: boolean;
    hide_default_launcher?: boolean;
  }

  /** The last object of a call: Segment's context, destinations, options for Intercom. */
  interface Options {
    integrations?: { All?: boolean; Intercom?: boolean | IntercomOptions; [destination: string]: unknown };
    context?: { [name: string]: unknown };
    Intercom?: IntercomOptions;
    [name: string]: unknown;
  }

  type Callback = () => void;
  type Elements = Element | ArrayLike<Element> | Iterable<Element> | null | undefined;

  /** Who the user, or the group, is at this moment. */
  interface User {
    id(): string | null | undefined;
    traits(): Values;
    anonymousId(): string;
  }

  /** What each call tells a listener: the arguments that stood before its traits or properties, these, its options. */
  interface Listeners {
    identify: (userId: string | undefined, traits: Values, options: Options) => void;
    group: (groupId: string | undefined, traits: Values, options: Options) => void;
    track: (event: string, properties: Values, options: Options) => void;
    page: (category: string | undefined, name: string | undefined, properties: Values, options: Options) => void;
    alias: (userId: string, previousId: string | undefined, body: Values, options: Options) => void;
  }

  /** Segment's `analytics`, usable at once: calls wait for the runtime, in their order. */
  interface Analytics {
    /** Says who the user is. */
    identify(userId: string | number, traits?: UserTraits | null, options?: Options | null, callback?: Callback): this;
    identify(userId: string | number, traits: UserTraits | null, callback: Callback): this;
    identify(userId: string | number, callback: Callback): this;
    /** Adds to what is known of the user, or of a visitor. */
    identify(traits: UserTraits, options?: Options | null, callback?: Callback): this;
    /** Records what the user did. */
    track(event: string, properties?: Values | null, options?: Options | null, callback?: Callback): this;
    track(event: string, properties: Values | null, callback: Callback): this;
    track(event: string, callback: Callback): this;
    /** Shows the Messenger for a page. */
    page(category: string, name: string, properties?: Values | null, options?: Options | null, callback?: Callback): this;
    page(name: string, properties?: Values | null, options?: Options | null, callback?: Callback): this;
    page(properties?: Values | null, options?: Options | null, callback?: Callback): this;
    page(callback: Callback): this;
    /** Says for which company the user acts. */
    group(groupId: string | number, traits?: CompanyTraits | null, options?: Options | null, callback?: Callback): this;
    group(traits: CompanyTraits, options?: Options | null, callback?: Callback): this;
    /** The company that the user acts for. */
    group(): User;
    /** Without effect in Intercom. */
    alias(userId: string, previousId?: string, options?: Options | null, callback?: Callback): this;
    /** Ends the user's session: the Messenger is shut down, and starts anew for a visitor. */
    reset(): this;
    /** Calls back once the Messenger has arrived. */
    ready(callback: Callback): this;
    /** The user. */
    user(): User;
    on<Name extends keyof Listeners>(call: Name, listener: Listeners[Name]): this;
    once<Name extends keyof Listeners>(call: Name, listener: Listeners[Name]): this;
    /** Without a listener all of them end. */
    off<Name extends keyof Listeners>(call: Name, listener?: Listeners[Name]): this;
    /** Tracks clicks on links before the browser follows them. */
    trackLink(links: Elements, event: string | ((link: Element) => string), properties?: Values | ((link: Element) => Values)): this;
    /** Tracks forms before they are sent. */
    trackForm(forms: Elements, event: string | ((form: Element) => string), properties?: Values | ((form: Element) => Values)): this;
    /** Gives the visitor this id, or a new one, and returns it. */
    setAnonymousId(id?: string): string | this;
    /** Says in the console what is sent and what is left out. */
    debug(wanted?: boolean): this;
    /** Calls as Segment's snippet has them wait: `["track", "Paid"]`. */
    push(...calls: [keyof Analytics, ...unknown[]][]): number;
    /** True once the runtime is there. */
    initialized?: true;
  }

  /** A company as the Messenger takes it. */
  interface MessengerCompany extends Values {
    company_id: string;
    name?: string;
    created_at?: number;
    plan?: string;
    monthly_spend?: number;
    size?: number;
    website?: string;
    industry?: string;
    remove?: boolean;
  }

  /** `intercomSettings`; any other name is a custom attribute of the user. */
  interface MessengerSettings extends Values {
    app_id?: string;
    api_base?: string;
    user_id?: string;
    email?: string;
    name?: string;
    phone?: string;
    /** In Unix seconds. */
    created_at?: number;
    avatar?: { type: "avatar"; image_url: string };
    unsubscribed_from_emails?: boolean;
    company?: MessengerCompany;
    companies?: MessengerCompany[];
    user_hash?: string;
    intercom_user_jwt?: string;
    custom_attributes?: Values;
    hide_default_launcher?: boolean;
    custom_launcher_selector?: string;
    alignment?: "left" | "right";
    horizontal_padding?: number;
    vertical_padding?: number;
    z_index?: number;
    hide_notifications?: boolean;
    theme_mode?: "light" | "dark" | "system";
    /** In milliseconds. */
    session_duration?: number;
    action_color?: string;
    background_color?: string;
    link_color?: string;
    page_title?: string;
    language_override?: string;
    auth_tokens?: { [name: string]: string };
    messenger_style_id?: string;
  }

  type Space = "home" | "messages" | "help" | "news" | "tasks" | "tickets";

  /** Intercom's own function in the page. */
  interface Messenger {
    (method: "boot" | "update", settings?: MessengerSettings): void;
    (method: "shutdown" | "hide" | "hideNotifications" | "show" | "showMessages"): void;
    (method: "ready" | "onHide" | "onShow", callback: Callback): void;
    (method: "showSpace", space: Space): void;
    (method: "showNewMessage", text?: string): void;
    (method: "startConversation", text?: string): void;
    (method: "onUnreadCountChange", callback: (count: number) => void): void;
    (method: "onUserEmailSupplied", callback: (email?: string) => void): void;
    (method: "trackEvent", name: string, metadata?: Values): void;
    (method: "getVisitorId"): string | undefined;
    (method: "whoami"): unknown;
    (
      method: "startTour" | "showArticle" | "showNews" | "startSurvey" | "startChecklist" | "showTicket" | "showConversation",
      id: string | number,
    ): void;
    (method: "setAuthTokens", tokens: { [name: string]: string }): void;
  }
}

interface Window {
  analytics: SegmentIntercom.Analytics;
  Intercom: SegmentIntercom.Messenger;
  intercomSettings?: SegmentIntercom.MessengerSettings;
  /** Loads the Messenger where `load` is "manual". */
  intercomLoad?: () => void;
}

interface DocumentEventMap {
  "intercom:ready": Event;
  "intercom:load-failed": CustomEvent;
}

declare const analytics: SegmentIntercom.Analytics;
declare const Intercom: SegmentIntercom.Messenger;
