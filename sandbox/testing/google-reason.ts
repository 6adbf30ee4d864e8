/** `410 fullSyncRequired`: how a call of Google's client failed, or `no failure`. */
export async function googleReason(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'no failure';
  } catch (error) {
    const { status, response } = error as {
      status?: number;
      response?: { data?: { error?: { errors?: { reason: string }[] } } };
    };
    return `${status ?? ''} ${response?.data?.error?.errors?.[0]?.reason ?? String(error)}`;
  }
}
