/** Nodes, sums, tasks and stored images: each book by itself. */
import { finding, type Rule } from './finding.js';

const nodesUnheard: Rule = ({ books, seen }) =>
  books
    .all('node')
    .filter((row) => row.state === 'up' && !seen.has(row.id))
    .map((row) =>
      finding(
        'node-not-audited',
        row,
        `the inventory of node ${row.id} could not be read: ${row.facts['inventory'] ?? 'no answer'}`,
      ),
    );

const nodesDown: Rule = ({ books }) =>
  books
    .all('node')
    .filter((row) => row.state === 'down')
    .map((row) => finding('node-down', row, `node ${row.id} does not report: ${row.facts['reason'] ?? 'no beat'}`));

const usage: Rule = ({ books }) =>
  books
    .all('usage')
    .filter((row) => row.facts['recorded'] !== row.facts['counted'])
    .map((row) =>
      finding('usage-differs', row, `${row.id}: recorded ${row.facts['recorded']}, counted ${row.facts['counted']}`),
    );

const capacity: Rule = ({ books }) =>
  books
    .all('inventory')
    .filter((row) => Number(row.facts['used']) > Number(row.facts['capacity']))
    .map((row) =>
      finding(
        'node-oversubscribed',
        row,
        `${row.node} holds ${row.facts['used']} ${row.facts['class']} of ${row.facts['capacity']}`,
      ),
    );

const stuck: Rule = ({ books }) =>
  books
    .all('task_stuck')
    .map((row) =>
      finding(
        'task-stuck',
        row,
        `task ${row.facts['kind'] ?? ''} ${row.id} needs a decision: ${row.facts['error'] ?? row.state}`,
      ),
    );

const quarantined: Rule = ({ books }) =>
  books
    .all('quarantine')
    .map((row) =>
      finding('quarantined', row, `${row.id} on ${row.node} is of nothing that is known; it was left alone`),
    );

const images: Rule = ({ books }) => {
  const files = books.byId('image_file');
  const rows = books.byId('image');
  const missing = books
    .all('image')
    .filter((row) => (row.state === 'active' || row.state === 'deactivated') && !files.has(row.id))
    .map((row) => finding('image-without-file', row, `image ${row.id} is ${row.state} and has no file`));
  const extra = books
    .all('image_file')
    .filter((row) => !rows.has(row.id))
    .map((row) =>
      finding('file-without-image', row, `a file of image ${row.id} is stored, and there is no such image`),
    );
  return [...missing, ...extra];
};

export const bookRules: readonly Rule[] = [nodesDown, nodesUnheard, usage, capacity, stuck, quarantined, images];
