//! Components made of modules, components and instances that are handed around in every way there is:
//! given, aliased, put into instances, exported, and taken out again. As text.

use std::fmt::Write as _;
use std::rc::Rc;

use arbitrary::{Result, Unstructured};

/// How deep components lie in each other.
const DEPTH: usize = 3;
/// How many things each has.
const LINES: usize = 20;

#[derive(Clone)]
enum Item {
    Func,
    Module,
    Component(Rc<Shape>),
    Instance(Rc<Shape>),
}

/// What goes into a component, and what comes out of it or of an instance.
#[derive(Default)]
struct Shape {
    imports: Vec<(String, Item)>,
    exports: Vec<(String, Item)>,
}

#[derive(Default)]
struct Scope {
    text: String,
    shape: Shape,
    funcs: Vec<Item>,
    modules: Vec<Item>,
    components: Vec<Item>,
    instances: Vec<Item>,
}

/// One such component; most are valid.
pub(crate) fn composed(seed: &mut Unstructured<'_>) -> Result<String> {
    let mut scopes = vec![Scope::default()];
    fill(&mut scopes, seed)?;
    let text = scopes.pop().map(|scope| scope.text);
    Ok(format!("(component {})", text.unwrap_or_default()))
}

fn fill(scopes: &mut Vec<Scope>, seed: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..seed.int_in_range(1..=LINES)? {
        let way = seed.int_in_range(0..=8)?;
        if way == 0 && scopes.len() < DEPTH {
            scopes.push(Scope::default());
            let filled = fill(scopes, seed);
            if let (Some(inner), Some(scope)) = (scopes.pop(), scopes.last_mut()) {
                let text = format!("(component {})", inner.text);
                scope.define(&text, Item::Component(Rc::new(inner.shape)));
            }
            filled?;
        } else if way == 1 && scopes.len() > 1 {
            outer(scopes, seed)?;
        } else if let Some(scope) = scopes.last_mut() {
            match way {
                2 | 3 => scope.import(seed)?,
                4 => scope.instantiate(seed)?,
                5 => scope.bundle(seed)?,
                6 => scope.take_out(seed)?,
                7 | 8 => scope.export(seed)?,
                _ => scope.module(seed)?,
            }
        }
    }
    Ok(())
}

/// Takes a module or component of a scope further out.
fn outer(scopes: &mut [Scope], seed: &mut Unstructured<'_>) -> Result<()> {
    let count = seed.int_in_range(1..=scopes.len() - 1)?;
    let from = &scopes[scopes.len() - 1 - count];
    let (list, word) = if seed.arbitrary()? {
        (&from.modules, "core module")
    } else {
        (&from.components, "component")
    };
    if let Some((number, item)) = any(list, seed)? {
        let text = format!("(alias outer {count} {number} ({word}))");
        if let Some(scope) = scopes.last_mut() {
            scope.define(&text, item);
        }
    }
    Ok(())
}

fn any(list: &[Item], seed: &mut Unstructured<'_>) -> Result<Option<(usize, Item)>> {
    if list.is_empty() {
        return Ok(None);
    }
    let number = seed.choose_index(list.len())?;
    Ok(Some((number, list[number].clone())))
}

impl Item {
    fn word(&self) -> &'static str {
        match self {
            Self::Func => "func",
            Self::Module => "core module",
            Self::Component(_) => "component",
            Self::Instance(_) => "instance",
        }
    }

    fn exports(&self) -> &[(String, Self)] {
        match self {
            Self::Instance(shape) => &shape.exports,
            _ => &[],
        }
    }
}

impl Scope {
    fn define(&mut self, text: &str, item: Item) {
        self.text.push_str(text);
        self.text.push('\n');
        self.list(&item).push(item);
    }

    fn list(&mut self, like: &Item) -> &mut Vec<Item> {
        match like {
            Item::Func => &mut self.funcs,
            Item::Module => &mut self.modules,
            Item::Component(_) => &mut self.components,
            Item::Instance(_) => &mut self.instances,
        }
    }

    fn any_item(&self, seed: &mut Unstructured<'_>) -> Result<Option<(usize, Item)>> {
        let lists = [
            &self.modules,
            &self.components,
            &self.instances,
            &self.funcs,
        ];
        any(seed.choose(&lists)?, seed)
    }

    fn module(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        let name = *seed.choose(&["a", "b", "wasi_snapshot_preview1"])?;
        let text = format!(r#"(core module (import "{name}" "f" (func)))"#);
        self.define(&text, Item::Module);
        Ok(())
    }

    /// One of four, each with a type of its own, and each once.
    fn import(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        let shape = |exports: &[(&str, Item)], imports: &[(&str, Item)]| {
            let owned = |list: &[(&str, Item)]| {
                let list = list.iter();
                list.map(|(name, item)| ((*name).to_owned(), item.clone()))
                    .collect()
            };
            Rc::new(Shape {
                imports: owned(imports),
                exports: owned(exports),
            })
        };
        let plain = Item::Instance(shape(&[("f", Item::Func)], &[]));
        let (name, ty, item) = match seed.int_in_range(0..=3)? {
            0 => ("x:y/plain", r#"instance (export "f" (func))"#, plain),
            1 => (
                "x:y/code",
                r#"instance (export "f" (func)) (export "m" (core module (import "c" "f" (func))))"#,
                Item::Instance(shape(&[("f", Item::Func), ("m", Item::Module)], &[])),
            ),
            2 => ("m", r#"core module (import "d" "f" (func))"#, Item::Module),
            _ => (
                "c",
                r#"component (import "x:y/plain" (instance (export "f" (func))))
                    (export "m" (core module (import "e" "f" (func))))"#,
                Item::Component(shape(&[("m", Item::Module)], &[("x:y/plain", plain)])),
            ),
        };
        if self.shape.imports.iter().all(|(known, _)| known != name) {
            self.define(&format!(r#"(import "{name}" ({ty}))"#), item.clone());
            self.shape.imports.push((name.to_owned(), item));
        }
        Ok(())
    }

    /// Gives a component anything of the right kind for what it imports.
    fn instantiate(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        let Some((number, Item::Component(component))) = any(&self.components, seed)? else {
            return Ok(());
        };
        let mut text = format!("(instance (instantiate {number}");
        for (name, wanted) in &component.imports {
            let Some((number, given)) = any(self.list(wanted), seed)? else {
                return Ok(());
            };
            let _ = write!(text, r#" (with "{name}" ({} {number}))"#, given.word());
        }
        text.push_str("))");
        let exports = component.exports.clone();
        let made = Shape {
            exports,
            ..Shape::default()
        };
        self.define(&text, Item::Instance(Rc::new(made)));
        Ok(())
    }

    /// Puts things into an instance that no component made.
    fn bundle(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        let mut text = "(instance".to_owned();
        let mut made = Shape::default();
        for name in ["f", "m", "n"] {
            if let Some((number, item)) = self.any_item(seed)? {
                let _ = write!(text, r#" (export "{name}" ({} {number}))"#, item.word());
                made.exports.push((name.to_owned(), item));
            }
        }
        text.push(')');
        self.define(&text, Item::Instance(Rc::new(made)));
        Ok(())
    }

    fn take_out(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        let Some((number, instance)) = any(&self.instances, seed)? else {
            return Ok(());
        };
        if instance.exports().is_empty() {
            return Ok(());
        }
        let (name, item) = seed.choose(instance.exports())?.clone();
        let text = format!(r#"(alias export {number} "{name}" ({}))"#, item.word());
        self.define(&text, item);
        Ok(())
    }

    fn export(&mut self, seed: &mut Unstructured<'_>) -> Result<()> {
        if let Some((number, item)) = self.any_item(seed)? {
            let name = format!("e{}", self.shape.exports.len());
            let text = format!(r#"(export "{name}" ({} {number}))"#, item.word());
            self.define(&text, item.clone());
            self.shape.exports.push((name, item));
        }
        Ok(())
    }
}
