import { readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { StatementText } from './statement-text';

/** What a property of a row is declared as. */
export interface DeclaredColumn {
  /** e.g. `string`, `Date`, `string[]`, `object`; `unknown` claims nothing. */
  readonly kinds: readonly string[];
  readonly nullable: boolean;
  readonly optional: boolean;
}

/** One place of the source that runs a statement. */
export interface StatementCall {
  /** `file:line`, from the root of the sources. */
  readonly at: string;
  /** The texts that it may run; undefined where only the running program knows. */
  readonly texts: readonly string[] | undefined;
  /** Undefined where the rows have no type. */
  readonly columns?: ReadonlyMap<string, DeclaredColumn>;
  /** Whether somebody looks at what it gives. */
  readonly used: boolean;
  /** Whether it is typed as `[rows, count]`. */
  readonly counted: boolean;
  /** Whether TypeORM may run it: it gives `[rows, count]` of a bare UPDATE or DELETE. */
  readonly byTypeOrm: boolean;
  /** How many parameters it is given, where the call says so. */
  readonly params?: number;
}

const ROOT = resolve(__dirname, '../../..');
const SRC = join(ROOT, 'src');

export interface Statements {
  readonly calls: readonly StatementCall[];
  /** The exported constants that stand in what is run: `file NAME`. */
  readonly constants: ReadonlySet<string>;
}

/** Every place in the service's sources that hands on a statement. A function that takes one names it `sql`. */
export function statementsIn(files: readonly string[]): Statements {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const program = ts.createProgram(files, { ...options, noEmit: true, incremental: false });
  const sources = files.flatMap((file) => program.getSourceFile(file) ?? []);
  const finder = new CallFinder(program.getTypeChecker(), new Set(['query', ...sources.flatMap(takersOf)]));
  const calls = sources.flatMap((file) => finder.in(file));
  return { calls, constants: finder.texts.constants };
}

/** The files of the service, without what is for tests and without migrations. */
export function serviceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((name) => join(SRC, name))
    .filter((name) => name.endsWith('.ts') && !/\.spec\.ts$/.test(name) && !/[\\/](testing|migrations)[\\/]/.test(name));
}

/** Names of functions that take a statement: of these alone the compiler is asked what is called. */
function takersOf(file: ts.SourceFile): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && node.parameters.some(({ name }) => name.getText() === 'sql')) {
      const named =
        node.name ?? (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined);
      if (named) names.push(named.getText());
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

class CallFinder {
  readonly texts: StatementText;

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly takers: ReadonlySet<string>,
  ) {
    this.texts = new StatementText(checker);
  }

  in(file: ts.SourceFile): StatementCall[] {
    const calls: StatementCall[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && this.takers.has(calledName(node))) {
        const sql = this.statementOf(node);
        if (sql && !this.isHandedOn(sql)) calls.push(this.describe(node, sql));
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return calls;
  }

  private statementOf(call: ts.CallExpression): ts.Expression | undefined {
    const parameters = this.checker.getResolvedSignature(call)?.parameters ?? [];
    const argument = call.arguments[calledName(call) === 'query' ? 0 : parameters.findIndex(({ name }) => name === 'sql')];
    if (!argument) return undefined;
    return this.checker.getTypeAtLocation(argument).flags & ts.TypeFlags.StringLike ? argument : undefined;
  }

  /** Of a function that was itself given the statement: whoever gave it is looked at. */
  private isHandedOn(sql: ts.Expression): boolean {
    const declaration = ts.isIdentifier(sql) ? this.checker.getSymbolAtLocation(sql)?.valueDeclaration : undefined;
    return declaration !== undefined && ts.isParameter(declaration) && declaration.name.getText() === 'sql';
  }

  private describe(call: ts.CallExpression, sql: ts.Expression): StatementCall {
    const file = call.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(call.getStart());
    const row = this.rowOf(call);
    return {
      at: `${pathOf(file)}:${line + 1}`,
      texts: this.texts.of(sql),
      columns: row.type && this.columnsOf(row.type, call),
      used: isUsed(call),
      counted: row.counted,
      byTypeOrm: this.isTypeOrm(call),
      params: paramsOf(call, sql),
    };
  }

  private rowOf(call: ts.CallExpression): { type?: ts.Type; counted: boolean } {
    const given = this.checker.getAwaitedType(this.checker.getTypeAtLocation(call));
    if (!given) return { counted: false };
    const counted = this.checker.isTupleType(given);
    const result = given.getProperty('rows'); // of the driver itself
    const rows = counted
      ? this.checker.getTypeArguments(given as ts.TypeReference)[0]
      : result
        ? this.checker.getTypeOfSymbol(result)
        : given;
    const type = rows && this.checker.isArrayType(rows) ? this.checker.getTypeArguments(rows as ts.TypeReference)[0] : undefined;
    const claims = type && !(type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown));
    return { counted, ...(claims && { type }) };
  }

  private columnsOf(row: ts.Type, at: ts.Node): Map<string, DeclaredColumn> {
    const columns = new Map<string, DeclaredColumn>();
    for (const property of this.checker.getPropertiesOfType(row)) {
      const type = this.checker.getTypeOfSymbolAtLocation(property, at);
      const parts = type.isUnion() ? type.types : [type];
      const absent = ts.TypeFlags.Null | ts.TypeFlags.Undefined;
      const kinds = [...new Set(parts.filter(({ flags }) => !(flags & absent)).map((part) => this.kindOf(part)))];
      const nullable = parts.some(({ flags }) => flags & ts.TypeFlags.Null) || kinds.includes('unknown');
      columns.set(property.name, { kinds, nullable, optional: (property.flags & ts.SymbolFlags.Optional) !== 0 });
    }
    return columns;
  }

  private kindOf(type: ts.Type): string {
    if (type.flags & ts.TypeFlags.StringLike) return 'string';
    if (type.flags & ts.TypeFlags.NumberLike) return 'number';
    if (type.flags & ts.TypeFlags.BooleanLike) return 'boolean';
    if (type.flags & ts.TypeFlags.BigIntLike) return 'bigint';
    if (type.flags & ts.TypeFlags.Unknown) return 'unknown';
    if (type.flags & ts.TypeFlags.Any) return 'any';
    if (this.checker.isArrayType(type)) {
      const [element] = this.checker.getTypeArguments(type as ts.TypeReference);
      const kinds = element ? (element.isUnion() ? element.types : [element]).map((part) => this.kindOf(part)) : [];
      return `${[...new Set(kinds)].join('|')}[]`;
    }
    const name = type.symbol?.name;
    return name === 'Date' || name === 'Buffer' ? name : 'object';
  }

  private isTypeOrm(call: ts.CallExpression): boolean {
    const from = this.checker.getResolvedSignature(call)?.declaration?.getSourceFile().fileName ?? '';
    return (
      from.includes('/node_modules/typeorm/') || (from.endsWith('/database/sql-runner.ts') && call.expression.getText() !== 'changedRows')
    );
  }
}

function calledName({ expression }: ts.CallExpression): string {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

function isUsed(call: ts.CallExpression): boolean {
  let node: ts.Node = call.parent;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node)) node = node.parent;
  return !ts.isExpressionStatement(node);
}

function paramsOf(call: ts.CallExpression, sql: ts.Expression): number | undefined {
  if (calledName(call) !== 'query') return undefined; // others may add some
  const next = call.arguments[call.arguments.indexOf(sql) + 1];
  if (!next) return undefined;
  if (!ts.isArrayLiteralExpression(next) || next.elements.some(ts.isSpreadElement)) return undefined;
  return next.elements.length;
}

function pathOf(file: ts.SourceFile): string {
  return relative(SRC, file.fileName).split(sep).join('/');
}
