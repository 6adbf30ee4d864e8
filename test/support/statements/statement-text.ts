import ts from 'typescript';

/** The next number of a parameter that is counted while running: `$${params.push(value)}`. */
const COUNTED = '\u0001';
/** What stands here is a condition, which says nothing of the rows. */
const BEFORE_CONDITION = /\b(WHERE|AND)\s*$/;
const MOST_WAYS = 16;

type Values = ReadonlyMap<ts.Symbol, readonly string[]>;
const NONE: Values = new Map();

/**
 * The texts that an expression can have, as far as the source says: constants, templates, functions of one expression, and either side of
 * a choice. What a module exports is asked of the module itself.
 */
export class StatementText {
  /** The exported constants that were met: `file NAME`. */
  readonly constants = new Set<string>();

  constructor(private readonly checker: ts.TypeChecker) {}

  /** @returns undefined where the text is put together of what only the running program knows */
  of(expression: ts.Expression): readonly string[] | undefined {
    return this.evaluate(expression, NONE)?.map(numbered);
  }

  private evaluate(node: ts.Expression, values: Values): readonly string[] | undefined {
    if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return [node.text];
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node))
      return this.evaluate(node.expression, values);
    if (ts.isTemplateExpression(node)) return this.template(node, values);
    if (ts.isConditionalExpression(node)) return either(this.evaluate(node.whenTrue, values), this.evaluate(node.whenFalse, values));
    if (ts.isIdentifier(node)) return this.named(node, values);
    if (ts.isPropertyAccessExpression(node)) return this.atFirst(node, values);
    if (ts.isCallExpression(node)) return this.called(node, values);
    if (ts.isBinaryExpression(node)) return this.computed(node, values);
    return undefined;
  }

  private template(node: ts.TemplateExpression, values: Values): readonly string[] | undefined {
    let texts: readonly string[] | undefined = [node.head.text];
    let before = node.head.text;
    for (const { expression, literal } of node.templateSpans) {
      const value = this.evaluate(expression, values) ?? standIn(before);
      texts = joined(joined(texts, value), [literal.text]);
      before = literal.text;
    }
    return texts;
  }

  private named(node: ts.Identifier, values: Values): readonly string[] | undefined {
    const symbol = this.symbolOf(node);
    if (!symbol) return undefined;
    const given = values.get(symbol);
    if (given) return given;
    const declaration = symbol.valueDeclaration;
    if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer) return undefined;
    if ((ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) === 0) return undefined;
    const value = exportedBy(declaration, symbol.name);
    if (typeof value === 'string') this.constants.add(`${declaration.getSourceFile().fileName} ${symbol.name}`);
    if (typeof value === 'string' || typeof value === 'number') return [String(value)];
    return this.evaluate(declaration.initializer, values);
  }

  /** What a property of the class begins with. */
  private atFirst(node: ts.PropertyAccessExpression, values: Values): readonly string[] | undefined {
    const declaration = node.expression.kind === ts.SyntaxKind.ThisKeyword ? this.symbolOf(node)?.valueDeclaration : undefined;
    return declaration && ts.isPropertyDeclaration(declaration) && declaration.initializer
      ? this.evaluate(declaration.initializer, values)
      : undefined;
  }

  /** A call of a function that is one expression, with what it is given. */
  private called(node: ts.CallExpression, values: Values): readonly string[] | undefined {
    const declaration = this.symbolOf(node.expression)?.valueDeclaration;
    const made = declaration && (ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration);
    if (!made || !(ts.isArrowFunction(made) || ts.isFunctionDeclaration(made))) return undefined;
    const result = resultOf(made);
    if (!result) return undefined;
    const inside = new Map<ts.Symbol, readonly string[]>();
    made.parameters.forEach((parameter, index) => {
      const from = node.arguments[index] ?? parameter.initializer;
      const value = from && this.evaluate(from, values);
      const symbol = this.checker.getSymbolAtLocation(parameter.name);
      if (value && symbol) inside.set(symbol, value);
    });
    return this.evaluate(result, inside);
  }

  private computed(node: ts.BinaryExpression, values: Values): readonly string[] | undefined {
    const left = this.evaluate(node.left, values);
    const right = this.evaluate(node.right, values);
    const [a, b] = [Number(left?.[0]), Number(right?.[0])];
    const { kind } = node.operatorToken;
    if (kind === ts.SyntaxKind.MinusToken && Number.isFinite(a - b)) return [String(a - b)];
    if (kind === ts.SyntaxKind.AsteriskToken && Number.isFinite(a * b)) return [String(a * b)];
    return kind === ts.SyntaxKind.PlusToken ? joined(left, right) : undefined;
  }

  private symbolOf(node: ts.Expression): ts.Symbol | undefined {
    const symbol = this.checker.getSymbolAtLocation(node);
    return symbol && symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }
}

function standIn(before: string): readonly string[] | undefined {
  if (before.endsWith('$')) return [COUNTED];
  return BEFORE_CONDITION.test(before) ? ['true'] : undefined;
}

function resultOf(made: ts.ArrowFunction | ts.FunctionDeclaration): ts.Expression | undefined {
  if (!made.body) return undefined;
  if (!ts.isBlock(made.body)) return made.body;
  const last = made.body.statements.at(-1);
  return made.body.statements.length === 1 && last && ts.isReturnStatement(last) ? last.expression : undefined;
}

function exportedBy(declaration: ts.VariableDeclaration, name: string): unknown {
  const statement = declaration.parent.parent;
  if (!ts.isVariableStatement(statement) || !statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    return undefined;
  const file = declaration.getSourceFile().fileName;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the value as the service has it
  return (require(file) as Record<string, unknown>)[name];
}

function either(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  return a && b ? [...a, ...b].slice(0, MOST_WAYS) : (a ?? b);
}

function joined(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  return a && b && a.flatMap((left) => b.map((right) => left + right)).slice(0, MOST_WAYS);
}

function numbered(text: string): string {
  let next = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  return text.replaceAll(COUNTED, () => String(++next));
}
