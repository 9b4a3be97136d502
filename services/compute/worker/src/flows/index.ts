import type { AnyFlow } from '#libs/platform/flow';
import type { FlowDeps } from './deps.js';
import { imageDiscardFlow } from './image-discard.flow.js';
import { imageHoldFlow } from './image-hold.flow.js';
import { serverAttachInterfaceFlow } from './server-attach-interface.flow.js';
import { serverChangePasswordFlow } from './server-change-password.flow.js';
import { serverCreateFlow } from './server-create.flow.js';
import { serverCreateBackupFlow } from './server-create-backup.flow.js';
import { serverCreateImageFlow } from './server-create-image.flow.js';
import { serverDeleteFlow } from './server-delete.flow.js';
import { serverDetachInterfaceFlow } from './server-detach-interface.flow.js';
import { serverPauseFlow, serverUnpauseFlow } from './server-pause.flow.js';
import { serverRebootFlow } from './server-reboot.flow.js';
import { serverRebuildFlow } from './server-rebuild.flow.js';
import { serverRescueFlow, serverUnrescueFlow } from './server-rescue.flow.js';
import { serverResizeFlow } from './server-resize.flow.js';
import { serverConfirmResizeFlow, serverRevertResizeFlow } from './server-resized.flow.js';
import { serverShelveFlow } from './server-shelve.flow.js';
import { serverShelveOffloadFlow } from './server-shelve-offload.flow.js';
import { serverStartFlow } from './server-start.flow.js';
import { serverStopFlow } from './server-stop.flow.js';
import { serverResumeFlow, serverSuspendFlow } from './server-suspend.flow.js';
import { serverTriggerCrashDumpFlow } from './server-trigger-crash-dump.flow.js';
import { serverUnshelveFlow } from './server-unshelve.flow.js';

/** Every kind and version of long operation that this build knows. */
export const computeFlows = (deps: FlowDeps): AnyFlow[] => [
  serverCreateFlow(deps),
  serverDeleteFlow(deps),
  serverStartFlow(deps),
  serverStopFlow(deps),
  serverRebootFlow(deps),
  serverAttachInterfaceFlow(deps),
  serverDetachInterfaceFlow(deps),
  serverPauseFlow(deps),
  serverUnpauseFlow(deps),
  serverSuspendFlow(deps),
  serverResumeFlow(deps),
  serverChangePasswordFlow(deps),
  serverTriggerCrashDumpFlow(deps),
  serverRebuildFlow(deps),
  serverRescueFlow(deps),
  serverUnrescueFlow(deps),
  serverCreateImageFlow(deps),
  serverCreateBackupFlow(deps),
  serverShelveFlow(deps),
  serverShelveOffloadFlow(deps),
  serverUnshelveFlow(deps),
  imageDiscardFlow(deps),
  imageHoldFlow(deps),
  serverResizeFlow(deps),
  serverConfirmResizeFlow(deps),
  serverRevertResizeFlow(deps),
];
