import { condition, defineSignal, proxySinks, setHandler, type Sinks } from '@temporalio/workflow';

export interface BareSinks extends Sinks {
  bare: { opened(): void };
}

/** The least a workflow can be: it says that it runs and waits for a signal. */
export async function bareCase(_input: { invoiceId: string }): Promise<void> {
  let done = false;
  setHandler(defineSignal('done'), () => {
    done = true;
  });
  proxySinks<BareSinks>().bare.opened();
  await condition(() => done);
}
