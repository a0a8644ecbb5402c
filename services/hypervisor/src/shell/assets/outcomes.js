// What a change of the workspace has done, in sentences.

import { millis, writing } from "./format.js";

const waited = ({ held_ms: held }) => `Requests waited for ${millis(held)}.`;
const frozen = ({ rehearsal }) => (rehearsal ? ` Live stood still for ${millis(rehearsal.frozen_ms)} while it was copied.` : "");

const SAID = {
  promote: (outcome) => `Live has release ${outcome.release} now. ${waited(outcome)}${watched(outcome)}`,
  undo: (outcome) => `Live has release ${outcome.release} again. ${waited(outcome)}${left(outcome)}`,
  fork: (outcome) => `Dev has a copy of live's data now; what it had before is kept as a snapshot.${frozen(outcome)}`,
  restore: (outcome) => `The data of the snapshot are back; what was there before is kept as another one. ${waited(outcome)}`,
};

export function told(outcome) {
  if (outcome.kind) return SAID[outcome.kind](outcome);
  return `${outcome.live} is live now, and ${outcome.dev} is dev.`;
}

// What became of the workspaces of somebody who was removed.
export function putAway({ archived = [], under_way: later = [] }) {
  const said = [archived.length > 0 && `Archived: ${archived.join(", ")}.`, later.length > 0 && `On their way to the archives: ${later.join(", ")}.`];
  return said.filter(Boolean).join(" ");
}

function watched({ probation, from_release: before }) {
  return probation ? ` It is watched for ${probation.secs} s: if it falls ill, live gets release ${before} back.` : "";
}

function left({ lost_writes: lost, snapshot }) {
  return lost ? ` What ${writing(lost)} wrote since the promotion is in the snapshot ${snapshot} alone.` : "";
}
