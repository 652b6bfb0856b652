import { isHelpOpen, link, theme, welcome } from '../state.ts';
import { toggleTheme } from '../theme.ts';
import { Icon } from './icon.tsx';

const LINK_TEXT = {
  connecting: 'connecting',
  open: 'live',
  waiting: 'reconnecting',
  closed: 'closed',
} as const;

/** The name of the world, whether it is live, and the page's own switches. */
export function Title() {
  const other = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <header class="title">
      <div>
        <h1>{welcome.value?.world ?? 'Leasehold'}</h1>
        <p class="subtitle">
          <span class={`lamp ${link.value.state}`} aria-hidden="true" />
          <span data-testid="link-state">{LINK_TEXT[link.value.state]}</span>
          {welcome.value !== undefined && <span> · {welcome.value.mode}</span>}
        </p>
      </div>
      <div class="title-buttons">
        <button
          type="button"
          class="icon-button"
          aria-label={`Use ${other} colours`}
          title={`Use ${other} colours`}
          onClick={toggleTheme}
        >
          <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Help and keys"
          title="Help and keys"
          onClick={() => {
            isHelpOpen.value = true;
          }}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}
