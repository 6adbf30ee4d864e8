/** One instruction, its lines joined. */
export interface Instruction {
  readonly name: string;
  /** As it stands, without the name. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Of the last stage: how a container is run. */
export interface RunSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** The stages of a Dockerfile. @throws for a form that is not used here, so that nothing is passed over */
export function stagesOf(dockerfile: string): Stage[] {
  const args: Record<string, string> = {};
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { name, text } of instructionsOf(dockerfile)) {
    const stage = stages.at(-1);
    if (name === 'ARG' && !stage) Object.assign(args, pairsOf(text));
    else if (name === 'FROM') {
      const [, base = '', as] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(text) ?? [];
      stages.push({
        name: as ?? String(stages.length),
        base: base.replace(/\$\{(\w+)\}/g, (_, arg: string) => args[arg] ?? ''),
        instructions: [],
      });
    } else if (stage) stage.instructions.push({ name, text });
    else throw new Error(`${name} stands before the first FROM`);
  }
  return stages;
}

export function runSettingsOf({ instructions }: Stage): RunSettings {
  const last = (name: string) => instructions.filter((each) => each.name === name).at(-1)?.text ?? '';
  return {
    env: Object.assign({}, ...instructions.filter(({ name }) => name === 'ENV').map(({ text }) => pairsOf(text))) as Record<string, string>,
    workdir: last('WORKDIR'),
    user: last('USER'),
    command: JSON.parse(last('CMD')) as string[],
    healthcheck: JSON.parse(last('HEALTHCHECK').replace(/^.*?CMD\s+/, '')) as string[],
  };
}

function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.map((line) => {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (!name) throw new Error(`not an instruction: ${line}`);
    return { name, text };
  });
}

function pairsOf(text: string): Record<string, string> {
  return Object.fromEntries(text.split(/\s+/).map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
}

/** The names at the top of the context that a `.dockerignore` of the form "nothing, but ..." lets in. @throws for any other form */
export function contextOf(dockerignore: string): string[] {
  const [first, ...others] = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || others.some((line) => !/^![\w.-]+$/.test(line)))
    throw new Error('.dockerignore: "*" first, then a name with "!" each');
  return others.map((line) => line.slice(1));
}
