export * from './check.js';
export { projectGraph } from './layers.js';
export { type Problem, type Project, readWorkspace, type Workspace, workspaceOf } from './workspace.js';
