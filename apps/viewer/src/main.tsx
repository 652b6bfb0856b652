/** The page: wiring and nothing else. The panel comes first; the map is loaded behind it. */
import './styles/base.css';
import './styles/inspector.css';
import './styles/map.css';
import './styles/panel.css';
import './styles/time.css';
import { render } from 'preact';
import { gatewaysOf, tokenOf } from './gateways.ts';
import { startKeys } from './keys.ts';
import { startMap } from './map-start.ts';
import { Page } from './panel/page.tsx';
import { startPast } from './past.ts';
import { startInspection } from './requests.ts';
import { token } from './state.ts';
import { startTheme } from './theme.ts';
import { startLink } from './world-link.ts';

startTheme();
token.value = tokenOf(location.hash);
addEventListener('hashchange', () => {
  token.value = tokenOf(location.hash);
});
render(<Page />, document.getElementById('app')!);
const view = startLink(gatewaysOf(location));
startPast(view);
startInspection();
startKeys();
startMap(view);
