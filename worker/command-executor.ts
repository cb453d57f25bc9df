import type { Client } from '@temporalio/client';
import type { CommandExecutor } from '../activities/deps.ts';
import { createCaseCommands } from '../api/case-commands.ts';
import { Problem } from '../api/problem.ts';
import { commandUpdates, type CommandName } from '../workflows/messages.ts';

/** The API's way into cases, for activities. What a case does not know is refused; what is not answered is null. */
export function commandExecutor(client: Client): CommandExecutor {
  const commands = createCaseCommands(client);
  return {
    async execute({ name, ...command }) {
      if (!isCommand(name)) return { accepted: false, code: 'commandUnknown' };
      try {
        return await commands.execute({ ...command, name });
      } catch (error) {
        if (error instanceof Problem && error.code === 'outcomeUnknown') return null;
        throw error;
      }
    },
  };
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(commandUpdates, name);
