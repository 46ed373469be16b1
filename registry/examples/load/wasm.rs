//! Components of a wanted size that are made of code, as real ones are.

use wasm_encoder::{
    CodeSection, Component, CustomSection, Function, FunctionSection, Module, ModuleSection,
    TypeSection, ValType,
};

/// How many additions a function has. Toolchains write functions of a few hundred bytes.
const ADDITIONS: i32 = 40;

/// A component of about `size` bytes, with `number` in it.
pub(crate) fn component(size: usize, number: u128) -> Vec<u8> {
    let one = module(1).len();
    let each = module(101).len().saturating_sub(one) / 100;
    let functions = size.saturating_sub(one) / each.max(1);
    let code = module(u32::try_from(functions).unwrap_or(u32::MAX).max(1));
    let mut component = Component::new();
    component.section(&ModuleSection(&code));
    component.section(&CustomSection {
        name: "load".into(),
        data: number.to_le_bytes().as_slice().into(),
    });
    component.finish()
}

fn module(functions: u32) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..functions {
        declared.function(0);
        let mut body = Function::new([]);
        let mut sink = body.instructions();
        sink.local_get(0);
        for addition in 0..ADDITIONS {
            sink.i32_const(addition << 16).i32_add();
        }
        sink.end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    module
}
