// The screen of a server: noVNC on the websocket that the address names in `path`. It goes to this host and no other.
import RFB from './novnc/core/rfb.js';

const state = document.getElementById('state');
const keys = document.getElementById('keys');

function socketUrl() {
  const path = new URLSearchParams(location.search).get('path') ?? '';
  const url = new URL(`/${path}`, location.origin);
  if (url.host !== location.host) throw new Error('The console is on another host.');
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function show(screen) {
  const rfb = new RFB(screen, socketUrl(), { wsProtocols: ['binary'] });
  rfb.scaleViewport = true;
  rfb.addEventListener('connect', () => {
    state.textContent = 'Connected';
    keys.disabled = false;
    rfb.focus();
  });
  rfb.addEventListener('disconnect', ({ detail }) => {
    state.textContent = detail.clean
      ? 'The console was closed. Ask for a new one to come back.'
      : 'The console can not be reached. Its address opens once: ask for a new one.';
    keys.disabled = true;
  });
  rfb.addEventListener('desktopname', ({ detail }) => {
    document.title = detail.name;
  });
  keys.addEventListener('click', () => rfb.sendCtrlAltDel());
}

try {
  show(document.getElementById('screen'));
} catch (error) {
  state.textContent = error.message;
}
