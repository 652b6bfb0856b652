import { link, welcome } from '../state.ts';

/** Says that what is seen is no longer live, and what is done about it. */
export function Banner() {
  const { state, why } = link.value;
  if (state === 'open' || (state === 'connecting' && welcome.value === undefined && why === '')) {
    return null;
  }
  const reason = why === '' ? '' : ` (${why})`;
  const text =
    state === 'closed'
      ? `The gateway has closed the connection for good${reason}. Load the page again.`
      : `The connection to the gateway is lost${reason}. Reconnecting …`;
  return (
    <div class="banner" role="alert" data-testid="banner">
      {text}
    </div>
  );
}
