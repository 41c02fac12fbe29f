// Counts the questions of a quiz whose first choice was right.
//
// Each choice opens what is said of it without this script. A choice that is opened later is read,
// and does not count.
(() => {
  "use strict";
  const start = (quiz) => {
    const score = quiz.nextElementSibling;
    if (!score?.matches(".quiz-score")) return;
    const questions = [...quiz.querySelectorAll(".quiz-options")];
    const first = new Map(); // of each question, whether its first choice was right
    const tell = (question, option) => {
      if (!option.open || first.has(question)) return;
      first.set(question, option.querySelector(".why").classList.contains("right"));
      const right = [...first.values()].filter(Boolean).length;
      const left = questions.length - first.size;
      score.textContent = `Right at the first try: ${right} of ${first.size}.${left ? ` To go: ${left}.` : ""}`;
      score.hidden = false;
    };
    for (const question of questions) {
      for (const option of question.querySelectorAll("details.option")) {
        option.addEventListener("toggle", () => tell(question, option));
      }
    }
  };
  const startAll = () => document.querySelectorAll("ol.quiz").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
