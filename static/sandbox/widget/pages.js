// What a method would show that needs content which only a real workspace has.
const CONTENT = {
  startTour: ["Product tour", "start the product tour"],
  showArticle: ["Article", "show the article"],
  showNews: ["News", "show the news item"],
  startSurvey: ["Survey", "start the survey"],
  startChecklist: ["Checklist", "start the checklist"],
  showTicket: ["Ticket", "show the ticket"],
  showConversation: ["Conversation", "show the conversation"],
  showSpace: ["Space", "open the space"],
};

function contentPage(method, id) {
  const [title, deed] = CONTENT[method];
  const which = id === undefined ? "" : ` ${String(id)}`;
  return { title: title + which, text: `Intercom would ${deed}${which} here. The sandbox has no content of its own.` };
}
