/**
 * Called by Relance's own processes (worker, API, mail server): when the supervisor that started them vanishes, even by SIGKILL,
 * their channel closes and they end too, so that none is left behind. Without a supervisor it does nothing.
 * @param close what to close before; given `graceMs` milliseconds of real time (default 5,000)
 */
export function exitWithParent(close?: () => Promise<void>, graceMs = 5_000): void {
  if (process.send === undefined) return;
  const leave = (): void => {
    setTimeout(() => process.exit(1), graceMs).unref();
    void Promise.resolve(close?.())
      .catch(() => undefined)
      .finally(() => process.exit(1));
  };
  if (!process.connected) {
    leave();
    return;
  }
  process.once('disconnect', leave);
  // The channel alone must not keep a process alive that has nothing left to do.
  process.channel?.unref();
}
