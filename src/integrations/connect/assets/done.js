/*
 * Tells the page that opened this window what came of connecting, and closes the window. Only origins that are allowed
 * (RETURN_TO_ORIGINS, BROWSER_ORIGINS) hear it; pages of this origin also by a BroadcastChannel, where a provider has cut the window off from its opener.
 */
'use strict';
const { result, origins } = document.getElementById('outcome').dataset;
if (result) {
  const message = JSON.parse(result);
  const channel = new BroadcastChannel(message.type);
  channel.postMessage(message);
  channel.close();
  if (window.opener) {
    for (const origin of JSON.parse(origins)) window.opener.postMessage(message, origin);
    window.close();
  }
}
